#pragma once
#include "kernels/cnn/values/batch_normalization_parameters.hpp"
#include "kernels/cnn/values/neuron_descriptor.hpp"

namespace mpskit::cnn {

struct ConvolutionDescriptor {
  std::int64_t kernel_width = 3, kernel_height = 3;
  std::int64_t input_feature_channels = 1, output_feature_channels = 1;
  std::int64_t stride_in_pixels_x = 1, stride_in_pixels_y = 1;
  std::int64_t dilation_rate_x = 1, dilation_rate_y = 1;
  std::int64_t groups = 1;
  std::optional<NeuronDescriptor> neuron;
  std::optional<BatchNormalizationParameters> batch_normalization;
  bool operator==(const ConvolutionDescriptor&) const = default;

  static constexpr KernelInfo info{
      "ConvolutionDescriptor", "What a data source says about its convolution beside the weights.",
      "MPSCNNConvolutionDescriptor, in MPSCNNConvolution.h", "A convolution with as many groups as input channels is depthwise."};
  static constexpr Range count{.min = 1, .max = 1 << 24};
  static constexpr std::tuple fields{
      Field{"kernel_width", &ConvolutionDescriptor::kernel_width, count, "px", "Columns of a filter."},
      Field{"kernel_height", &ConvolutionDescriptor::kernel_height, count, "px", "Rows of a filter."},
      Field{"input_feature_channels", &ConvolutionDescriptor::input_feature_channels, count, "channels", "Channels of the source, of all groups."},
      Field{"output_feature_channels", &ConvolutionDescriptor::output_feature_channels, count, "channels", "Channels of the result, one a filter."},
      Field{"stride_in_pixels_x", &ConvolutionDescriptor::stride_in_pixels_x, count, "px", "Columns from one window to the next."},
      Field{"stride_in_pixels_y", &ConvolutionDescriptor::stride_in_pixels_y, count, "px", "Rows from one window to the next."},
      Field{"dilation_rate_x", &ConvolutionDescriptor::dilation_rate_x, count, "px", "Columns from one tap to the next."},
      Field{"dilation_rate_y", &ConvolutionDescriptor::dilation_rate_y, count, "px", "Rows from one tap to the next."},
      Field{"groups", &ConvolutionDescriptor::groups, count, "groups", "Groups of channels that see nothing of each other."},
      Field{"neuron", &ConvolutionDescriptor::neuron, Range{}, "", "Applied last, after the batch normalization."},
      Field{"batch_normalization", &ConvolutionDescriptor::batch_normalization, Range{}, "", "Applied to the sums with their bias."}};
  static constexpr std::array aliases{Alias{"kernel_size", {"kernel_width", "kernel_height"}}, Alias{"stride", {"stride_in_pixels_x", "stride_in_pixels_y"}},
                                      Alias{"dilation", {"dilation_rate_x", "dilation_rate_y"}}};

  void validate() const { require("ConvolutionDescriptor"); }
  void require(std::string_view who) const;  // rules between the fields; ValueError names the kernel or data source
  std::int64_t inputs_per_group() const { return input_feature_channels / groups; }
  std::int64_t outputs_per_group() const { return output_feature_channels / groups; }
  bool is_depthwise() const { return groups > 1 && groups == input_feature_channels && groups == output_feature_channels; }
  std::int64_t weight_count() const { return output_feature_channels * kernel_height * kernel_width * inputs_per_group(); }
};

}  // namespace mpskit::cnn

MPSKIT_VALUE(cnn, ConvolutionDescriptor)
