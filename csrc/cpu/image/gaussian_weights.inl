#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Weights 0, 1, ... of a Gaussian, cut at 3.7 sigma; all of them, both sides, add up to 1.
inline std::vector<double> gaussian_weights(float sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3.7 * static_cast<double>(sigma)));
  std::vector<double> weights{1.0};
  double sum = 1;
  for (std::int64_t i = 1; i <= radius; ++i) sum += 2 * weights.emplace_back(std::exp(-0.5 * static_cast<double>(i * i) / (double{sigma} * sigma)));
  for (double& w : weights) w /= sum;
  return weights;
}

}  // namespace mpskit::cpu::MPSKIT_ISA
