#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/cnn/values/neuron_descriptor.hpp"

namespace mpskit::cnn {
namespace {

struct Usual {  // what each type takes when it is not given; nothing: the type has no such number
  std::optional<float> a, b, c;
};
Usual usual(NeuronType t) {
  switch (t) {
    case NeuronType::relu: return {0, {}, {}};
    case NeuronType::linear: return {1, 0, {}};
    case NeuronType::hard_sigmoid: return {0.2f, 0.5f, {}};
    case NeuronType::tanh:
    case NeuronType::softplus: return {1, 1, {}};
    case NeuronType::elu: return {1, {}, {}};
    case NeuronType::relun: return {1, 6, {}};
    case NeuronType::power: return {1, 0, 1};
    case NeuronType::exponential:
    case NeuronType::logarithm: return {1, 0, -1};
    default: return {};
  }
}

}  // namespace

void NeuronDescriptor::validate() const {
  const Usual u = usual(type);
  const auto refuse = [&](std::string_view name, std::optional<float> given, std::optional<float> known) {
    if (given && !known)
      throw ValueError(cat(info.name, ": ", name, " is ", *given, "; allowed: none, '", name_of_enum(type), "' has no ", name, ". Omit it."));
  };
  refuse("a", a, u.a);
  refuse("b", b, u.b);
  refuse("c", c, u.c);
  const bool is_prelu = type == NeuronType::prelu;
  if (data && !is_prelu)
    throw ValueError(cat(info.name, ": data is given; allowed: for 'prelu' only. Omit it."));
  if (is_prelu && !data)
    throw ValueError(cat(info.name, ": data is None; allowed: the slopes of 'prelu', one for each channel. Pass data=array of float32."));
  if (data && data->dtype != DType::f32)
    throw TypeError(cat(info.name, ": data is ", data->describe(), "; allowed: float32. Convert it with astype()."));
  if (data && data->shape.size() != 1)
    throw ValueError(cat(info.name, ": data is ", data->describe(), "; allowed: one axis, a number for each channel. Reshape it."));
  const Neuron n = resolved();
  if ((type == NeuronType::exponential || type == NeuronType::logarithm) && !(n.c > 0 || n.c == -1))
    throw ValueError(cat(info.name, ": c is ", n.c, "; allowed: a base c > 0, or -1 for e. Pass such a number."));
  if (type == NeuronType::logarithm && n.c == 1)
    throw ValueError(cat(info.name, ": c is 1.0; allowed: a base other than 1. There are no logarithms to it."));
}

Neuron NeuronDescriptor::resolved() const {
  const Usual u = usual(type);
  const auto number = [](std::optional<float> given, std::optional<float> known) { return given ? *given : known.value_or(0.0f); };
  return {type, number(a, u.a), number(b, u.b), number(c, u.c), data ? data->floats() : std::span<const float>{}};
}

void NeuronDescriptor::require_channels(std::string_view who, std::int64_t channels) const {
  if (type == NeuronType::prelu && data && data->elements() != channels)
    throw ValueError(cat(who, ": the neuron has ", data->elements(), " slopes; allowed: ", channels, ", one for each channel. Pass as many."));
}

}  // namespace mpskit::cnn
