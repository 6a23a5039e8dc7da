#pragma once
#include <span>
#include <vector>

namespace mpskit::image {

// Weights 0, 1, ... of a Gaussian, cut at 3.7 sigma; all of them, both sides, add up to 1. Sigma 0 is one weight.
std::vector<double> gaussian_weights(float sigma);
// Both sides of them, from the farthest on the left to the farthest on the right.
std::vector<float> both_sides(std::span<const double> weights);

}  // namespace mpskit::image
