#pragma once
#include <array>
#include <optional>
#include <span>

#include "core/value.hpp"
#include "kernels/common/array.hpp"

namespace mpskit::cnn {

enum class NeuronType {  // with the numbers of MPSCNNNeuronType
  none, relu, linear, sigmoid, hard_sigmoid, tanh, absolute, softplus, softsign, elu, prelu, relun, power, exponential, logarithm, gelu
};
inline constexpr std::size_t neuron_type_count = 16;

// A neuron with all its numbers: what engines work with.
struct Neuron {
  NeuronType type = NeuronType::none;
  float a = 0, b = 0, c = 0;
  std::span<const float> slopes{};  // prelu: one a channel
};

struct NeuronDescriptor {
  NeuronType type = NeuronType::none;
  std::optional<float> a, b, c;
  std::optional<Array> data;
  bool operator==(const NeuronDescriptor&) const = default;

  static constexpr KernelInfo info{
      "NeuronDescriptor", "A function that is applied to every element.", "MPSNNNeuronDescriptor, in MPSCNNNeuron.h",
      "none x; relu x >= 0 ? x : a*x; linear a*x + b; sigmoid 1/(1 + exp(-x)); hard_sigmoid a*x + b within [0, 1]; tanh "
      "a*tanh(b*x); absolute |x|; softplus a*log(1 + exp(b*x)); softsign x/(1 + |x|); elu x >= 0 ? x : a*(exp(x) - 1); prelu "
      "x >= 0 ? x : data[channel]*x; relun min(x >= 0 ? x : a*x, b), so that ReLU6 is relun with a=0; power (a*x + b)**c; "
      "exponential c**(a*x + b) and logarithm log(a*x + b) to the base c, where c = -1 stands for e; gelu "
      "x*(1 + erf(x/sqrt(2)))/2."};
  static constexpr std::tuple fields{
      Field{"type", &NeuronDescriptor::type, Range{}, "", "The function, by Apple's name in snake_case."},
      Field{"a", &NeuronDescriptor::a, Range{}, "", "None is 0 for relu, 0.2 for hard_sigmoid, 1 for the others that have it."},
      Field{"b", &NeuronDescriptor::b, Range{}, "", "None is 0.5 for hard_sigmoid, 1 for tanh and softplus, 6 for relun, 0 for the others that have it."},
      Field{"c", &NeuronDescriptor::c, Range{}, "", "None is 1 for power and -1, which means e, for exponential and logarithm."},
      Field{"data", &NeuronDescriptor::data, Range{}, "", "Slopes of prelu, float32, one a channel."}};
  static constexpr int positional = 1;

  void validate() const;
  Neuron resolved() const;  // shares `data`
  // Throws unless it fits so many channels; `who` is the kernel or data source.
  void require_channels(std::string_view who, std::int64_t channels) const;
};

}  // namespace mpskit::cnn

template <>
inline constexpr auto mpskit::enum_names<mpskit::cnn::NeuronType> = std::array<std::string_view, mpskit::cnn::neuron_type_count>{
    "none", "relu", "linear", "sigmoid", "hard_sigmoid", "tanh", "absolute", "softplus", "softsign", "elu", "prelu", "relun", "power",
    "exponential", "logarithm", "gelu"};

MPSKIT_VALUE(cnn, NeuronDescriptor)
