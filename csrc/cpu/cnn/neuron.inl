#pragma once
// Neurons over rows of finished sums.
#include "kernels/cnn/values/neuron_descriptor.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Neurons that only clamp, which costs nothing at the end of a sum; NaN stays NaN.
struct Clamp {
  float low, high;
};
inline std::optional<Clamp> as_clamp(const cnn::Neuron& n) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (n.type == cnn::NeuronType::none) return Clamp{-infinity, infinity};
  if (n.type == cnn::NeuronType::relu && n.a == 0) return Clamp{0, infinity};
  if (n.type == cnn::NeuronType::relun && n.a == 0) return Clamp{0, n.b};
  return {};
}

// Applied in place to values[i], which belong to channels first + i. In common/neuron.cpp.
void apply_neuron(const cnn::Neuron& n, float* values, std::int64_t count, std::int64_t first);
// They become the neuron's derivative there; at a corner that of its right side.
void differentiate_neuron(const cnn::Neuron& n, float* values, std::int64_t count, std::int64_t first);

}  // namespace mpskit::cpu::MPSKIT_ISA
