#include "kernels/common/rnn_descriptor.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/rnn/values/lstm_descriptor.hpp"

namespace mpskit::rnn {
namespace {

using SourceRole = SourceOf::Role;

void require_matrix(std::string_view who, const SourceOf& s, std::int64_t in, std::int64_t out) {
  const cnn::ConvolutionDescriptor& d = (*s.weights)->descriptor();
  const bool is_diagonal = s.role == SourceRole::diagonal;
  // A diagonal matrix is a convolution of each channel with one number, or a matrix of one column.
  const bool is_column = d.groups == 1 && d.input_feature_channels == 1, is_depthwise = d.groups == in && d.input_feature_channels == in;
  const bool fits = d.output_feature_channels == out && (is_diagonal ? is_column || is_depthwise : d.groups == 1 && d.input_feature_channels == in);
  if (d.kernel_width != 1 || d.kernel_height != 1 || !fits)
    throw ValueError(cat(who, ": ", s.field, " is (", d.output_feature_channels, ", ", d.kernel_height, ", ", d.kernel_width, ", ", d.inputs_per_group(),
                         ")", d.groups > 1 ? cat(" in ", d.groups, " groups") : std::string(), "; allowed: (", out, ", ", is_diagonal ? 1 : in, "), ",
                         is_diagonal ? "one number for each output channel. Pass them as a column, or memory_weights_are_diagonal=False."
                                     : "a row for each output channel, as in PyTorch and ONNX. Pass such a matrix, or change the channels."));
  if (d.stride_in_pixels_x != 1 || d.stride_in_pixels_y != 1 || d.dilation_rate_x != 1 || d.dilation_rate_y != 1 || d.batch_normalization)
    throw ValueError(cat(who, ": ", s.field, " has ", d.batch_normalization ? "a batch normalization" : "a stride or dilation",
                         "; allowed: a plain matrix. Fold it into the weights and the bias."));
}

}  // namespace

void require_sources(std::string_view who, const Descriptor& d, std::span<const SourceOf> sources) {
  const std::int64_t inputs = d.input_feature_channels, outputs = d.output_feature_channels;
  if (d.use_layer_input_unit_transform_mode && inputs != outputs)
    throw ValueError(cat(who, ": use_layer_input_unit_transform_mode is True, input_feature_channels is ", inputs, ", output_feature_channels is ", outputs,
                         "; allowed: equal channels, the source itself takes the place of its product. Make them equal."));
  for (const SourceOf& s : sources) {
    if (!s.weights) continue;
    require_matrix(who, s, s.role == SourceRole::input ? inputs : outputs, outputs);
    const auto& neuron = (*s.weights)->descriptor().neuron;
    if (!neuron) continue;
    if (s.role == SourceRole::input) neuron->require_channels(who, outputs);
    else if (neuron->type != cnn::NeuronType::none)
      throw ValueError(cat(who, ": ", s.field, " has the neuron '", name_of_enum(neuron->type),
                           "'; allowed: none, a gate takes its neuron from its input weights. Give it to those, which may be zeros."));
  }
}

void LSTMDescriptor::validate() const {
  require_sources(info.name, *this, sources());
  using cnn::NeuronType;
  const NeuronType type = cell_to_output_neuron_type;
  if (type == NeuronType::prelu)
    throw ValueError(cat(info.name, ": cell_to_output_neuron_type is 'prelu'; allowed: a neuron without slopes of its own, such as 'tanh'. Pass 'relu' with "
                                    "cell_to_output_neuron_param_a for one slope."));
  const float c = cell_to_output_neuron_param_c;
  if ((type == NeuronType::exponential || type == NeuronType::logarithm) && !(c == -1 || (c > 0 && !(type == NeuronType::logarithm && c == 1))))
    throw ValueError(cat(info.name, ": cell_to_output_neuron_param_c is ", c, "; allowed: a base of '", name_of_enum(type), "', or -1 for e. Pass such a number."));
}

}  // namespace mpskit::rnn
