#include "kernels/common/gaussian_weights.hpp"

#include <cmath>
#include <cstdint>

namespace mpskit::image {

std::vector<double> gaussian_weights(float sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3.7 * static_cast<double>(sigma)));
  std::vector<double> weights{1.0};
  double sum = 1;
  for (std::int64_t i = 1; i <= radius; ++i) sum += 2 * weights.emplace_back(std::exp(-0.5 * static_cast<double>(i * i) / (double{sigma} * sigma)));
  for (double& w : weights) w /= sum;
  return weights;
}

std::vector<float> both_sides(std::span<const double> weights) {
  std::vector<float> all;
  for (std::size_t i = weights.size(); i-- > 1;) all.push_back(static_cast<float>(weights[i]));
  for (const double w : weights) all.push_back(static_cast<float>(w));
  return all;
}

}  // namespace mpskit::image
