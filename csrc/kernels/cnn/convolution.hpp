#pragma once
#include "kernels/common/cnn_kernel.hpp"
#include "kernels/common/data_source.hpp"

namespace mpskit::cnn {

enum class AccumulatorPrecision { half, float_ };

struct Convolution : WindowKernel {
  Weights weights;
  std::optional<Array> bias;
  std::optional<NeuronDescriptor> neuron;
  std::optional<BatchNormalizationParameters> batch_normalization;
  std::optional<std::int64_t> stride_in_pixels_x, stride_in_pixels_y, dilation_rate_x, dilation_rate_y, groups;
  AccumulatorPrecision accumulator_precision_option = AccumulatorPrecision::float_;
  bool operator==(const Convolution&) const = default;

  static constexpr KernelInfo info{
      "Convolution", "Correlate with filters over all channels of a group, then bias, batch normalization and neuron.",
      "MPSCNNConvolution, in MPSCNNConvolution.h",
      "The filter is not turned around. Weights count as they are given: float32 in full on the CPU, on Metal too where macOS 11 lets "
      "kernels keep them; float16 and uint8 ones are float16 numbers there. Sums are float32. Weights are loaded when a plan is made, once for "
      "each size of images, and purged right after. A window has its centre at offset + stride * pixel; even ones reach one pixel further to the "
      "left and top. padding='valid' centres what is left over, as MPS does; padding=0 begins at the first pixel. What is beyond the border adds "
      "nothing, or the edge pixel's value with edge_mode 'clamp'. NaN and infinity reach every result whose window holds them."};
  static constexpr Range count = ConvolutionDescriptor::count;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"weights", &Convolution::weights, Range{}, "", "A data source, or an array of float32 or float16, shape (output, height, width, input / groups)."},
                 Field{"bias", &Convolution::bias, Range{}, "", "Float32, one an output channel; None is the data source's."},
                 Field{"neuron", &Convolution::neuron, Range{}, "", "Applied last, a NeuronDescriptor or its type, such as 'relu'; None is the data source's."},
                 Field{"batch_normalization", &Convolution::batch_normalization, Range{}, "", "Applied before the neuron; None is the data source's."},
                 Field{"stride_in_pixels_x", &Convolution::stride_in_pixels_x, count, "px", "Columns from one window to the next; None is the data source's, else 1."},
                 Field{"stride_in_pixels_y", &Convolution::stride_in_pixels_y, count, "px", "Rows from one window to the next; None is the data source's, else 1."},
                 Field{"dilation_rate_x", &Convolution::dilation_rate_x, count, "px", "Columns from one tap to the next; None is the data source's, else 1."},
                 Field{"dilation_rate_y", &Convolution::dilation_rate_y, count, "px", "Rows from one tap to the next; None is the data source's, else 1."},
                 Field{"groups", &Convolution::groups, count, "groups", "Groups of channels that see nothing of each other; None is the data source's, else 1."},
                 Field{"accumulator_precision_option", &Convolution::accumulator_precision_option, Range{}, "", "'half' lets a GPU add in float16; the CPU engine never does."}},
      window_fields);
  static constexpr std::array aliases{Alias{"stride", {"stride_in_pixels_x", "stride_in_pixels_y"}}, Alias{"dilation", {"dilation_rate_x", "dilation_rate_y"}},
                                      Alias{"fused_neuron_descriptor", {"neuron", ""}}};
  static constexpr int positional = 1;
  static constexpr std::array operands{source_image, destination_image};
  // Of an element before its neuron, relative to the sum of the magnitudes of its terms, bias included.
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value, for sums of magnitudes to 16"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision of a float32 sum"},
      Tolerance{DType::f32, 1e-6, 1e-6, "float32 sums in blocks of at most 1024 terms, and one neuron"}};

  // The data source's, with what the kernel itself says instead.
  ConvolutionDescriptor descriptor() const;
  Taps taps_y(const ConvolutionDescriptor& d) const { return {d.kernel_height, d.stride_in_pixels_y, d.dilation_rate_y}; }
  Taps taps_x(const ConvolutionDescriptor& d) const { return {d.kernel_width, d.stride_in_pixels_x, d.dilation_rate_x}; }

  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
  bool reads_outputs(std::span<const Layout> out) const;
};

}  // namespace mpskit::cnn

template <>
inline constexpr auto mpskit::enum_names<mpskit::cnn::AccumulatorPrecision> = std::array<std::string_view, 2>{"half", "float"};

MPSKIT_KERNEL(cnn, Convolution)
