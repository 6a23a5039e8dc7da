#pragma once
#include "kernels/common/data_source.hpp"

namespace mpskit::cnn {

struct ArrayDataSource {
  std::optional<Array> weights, bias;
  std::optional<NeuronDescriptor> neuron;
  std::optional<BatchNormalizationParameters> batch_normalization;
  std::int64_t stride_in_pixels_x = 1, stride_in_pixels_y = 1;
  std::int64_t dilation_rate_x = 1, dilation_rate_y = 1;
  std::int64_t groups = 1;
  std::optional<Array> ranges, lookup_table;
  std::string label;
  bool operator==(const ArrayDataSource&) const = default;

  static constexpr KernelInfo info{
      "ArrayDataSource", "Weights and bias in arrays, with what goes with them.", "MPSCNNConvolutionDataSource, in MPSCNNConvolution.h",
      "Arrays in C order are shared, not copied: memory-mapped ones are read when a plan is made. uint8 weights stand for u / 255 * (max - "
      "min) + min with the range of their output channel, or for lookup_table[u]. There are no signed ones: for int8 q pass q + 128."};
  static constexpr Range count = ConvolutionDescriptor::count;
  static constexpr std::tuple fields{
      Field{"weights", &ArrayDataSource::weights, Range{}, "",
            "Float32, float16 or uint8, shape (output, height, width, input / groups), or (output, input) for 1 x 1."},
      Field{"bias", &ArrayDataSource::bias, Range{}, "", "Float32, one an output channel; None is 0."},
      Field{"neuron", &ArrayDataSource::neuron, Range{}, "", "Applied last; a NeuronDescriptor or its type, such as 'relu'."},
      Field{"batch_normalization", &ArrayDataSource::batch_normalization, Range{}, "", "Applied before the neuron."},
      Field{"stride_in_pixels_x", &ArrayDataSource::stride_in_pixels_x, count, "px", "Columns from one window to the next."},
      Field{"stride_in_pixels_y", &ArrayDataSource::stride_in_pixels_y, count, "px", "Rows from one window to the next."},
      Field{"dilation_rate_x", &ArrayDataSource::dilation_rate_x, count, "px", "Columns from one tap to the next."},
      Field{"dilation_rate_y", &ArrayDataSource::dilation_rate_y, count, "px", "Rows from one tap to the next."},
      Field{"groups", &ArrayDataSource::groups, count, "groups", "Groups of channels that see nothing of each other."},
      Field{"ranges", &ArrayDataSource::ranges, Range{}, "", "Of uint8 weights: float32, shape (output, 2), the least and the most of each output channel."},
      Field{"lookup_table", &ArrayDataSource::lookup_table, Range{}, "", "Of uint8 weights: float32, 256 entries."},
      Field{"label", &ArrayDataSource::label, Range{}, "", "What messages, summaries and captures call it."}};
  static constexpr std::array aliases{Alias{"stride", {"stride_in_pixels_x", "stride_in_pixels_y"}}, Alias{"dilation", {"dilation_rate_x", "dilation_rate_y"}}};
  static constexpr int positional = 2;

  void validate() const { descriptor(); }
  ConvolutionDescriptor descriptor() const;  // throws unless the parts fit
  Weights as_weights() const;
};
const ArrayDataSource* arrays_of(const DataSource& source);  // null when it is another kind of source

}  // namespace mpskit::cnn

MPSKIT_VALUE(cnn, ArrayDataSource)
