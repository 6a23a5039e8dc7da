#include "kernels/cnn/convolution.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::cnn {
namespace {

std::string who(const Convolution& k) {
  const std::string label = k.weights.is_null() ? std::string() : k.weights->label();
  return label.empty() ? std::string(Convolution::info.name) : cat(Convolution::info.name, " '", label, "'");
}

}  // namespace

ConvolutionDescriptor Convolution::descriptor() const {
  if (weights.is_null())
    throw ValueError(cat(info.name, ": weights is None; allowed: a data source, or an array (output, height, width, input / groups). Pass it first."));
  ConvolutionDescriptor d = weights->descriptor();
  const auto override = [](std::int64_t& field, const std::optional<std::int64_t>& own) { field = own.value_or(field); };
  override(d.stride_in_pixels_x, stride_in_pixels_x);
  override(d.stride_in_pixels_y, stride_in_pixels_y);
  override(d.dilation_rate_x, dilation_rate_x);
  override(d.dilation_rate_y, dilation_rate_y);
  if (groups) {  // weights know the channels of one group
    d.input_feature_channels = d.inputs_per_group() * *groups;
    d.groups = *groups;
  }
  if (neuron) d.neuron = neuron;
  if (batch_normalization) d.batch_normalization = batch_normalization;
  return d;
}

void Convolution::validate() const {
  require_unary(info.name);
  const ConvolutionDescriptor d = descriptor();
  d.require(who(*this));
  if (!bias) return;
  if (bias->dtype != DType::f32) throw TypeError(cat(who(*this), ": bias is ", bias->describe(), "; allowed: float32. Convert it with astype()."));
  if (bias->elements() != d.output_feature_channels)
    throw ValueError(cat(who(*this), ": bias is ", bias->describe(), "; allowed: ", d.output_feature_channels, " numbers, one for each output channel. Pass as many."));
}

Layouts Convolution::infer(std::span<const Layout> in, const OutputHints& hints) const {
  const ConvolutionDescriptor d = descriptor();
  const ResultSize size = result_size(who(*this), in[0], taps_y(d), taps_x(d));
  return {result_of(who(*this), *this, in[0], size.height, size.width, d.output_feature_channels, hints)};
}

void Convolution::check(std::span<const Layout> in, std::span<const Layout> out) const {
  const ConvolutionDescriptor d = descriptor();
  const std::string name = who(*this);
  const std::int64_t read = channels_read(name, *this, in[0]);
  if (read != d.input_feature_channels)
    throw ValueError(cat(name, ": image has ", counted(read, "channel"), " to read; allowed: ", d.input_feature_channels, ", which the weights take. ",
                         read > d.input_feature_channels ? "Choose some with source_feature_channel_offset and source_feature_channel_max_count."
                                                         : "Give an image with as many."));
  part_of(name, *this, in[0], out[0], d.output_feature_channels);
  const ResultSize size = result_size(name, in[0], taps_y(d), taps_x(d));
  require_size(name, *this, out[0], size.height, size.width);
}

bool Convolution::reads_outputs(std::span<const Layout> out) const {
  return leaves_a_part(*this, out[0], weights->descriptor().output_feature_channels);
}

}  // namespace mpskit::cnn
