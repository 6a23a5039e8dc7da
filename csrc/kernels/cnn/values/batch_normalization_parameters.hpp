#pragma once
#include <limits>
#include <optional>
#include <vector>

#include "core/value.hpp"
#include "kernels/common/array.hpp"

namespace mpskit::cnn {

struct BatchNormalizationParameters {
  std::optional<Array> mean, variance, gamma, beta;
  float epsilon = std::numeric_limits<float>::min();
  bool operator==(const BatchNormalizationParameters&) const = default;

  static constexpr KernelInfo info{
      "BatchNormalizationParameters", "Batch normalization with given statistics, folded into a convolution.",
      "setBatchNormalizationParametersForInferenceWithMean, in MPSCNNConvolution.h",
      "(x - mean) * gamma / sqrt(variance + epsilon) + beta for each channel, before the neuron. Apple's epsilon where none is given is "
      "the least normal float32; most frameworks train with 1e-5 or 1e-3."};
  static constexpr std::tuple fields{
      Field{"mean", &BatchNormalizationParameters::mean, Range{}, "", "Float32, one a channel."},
      Field{"variance", &BatchNormalizationParameters::variance, Range{}, "", "Float32, one a channel."},
      Field{"gamma", &BatchNormalizationParameters::gamma, Range{}, "", "Float32, one a channel; None is 1."},
      Field{"beta", &BatchNormalizationParameters::beta, Range{}, "", "Float32, one a channel; None is 0."},
      Field{"epsilon", &BatchNormalizationParameters::epsilon, Range{.min = 0}, "", "Added to the variance."}};
  static constexpr int positional = 4;

  void validate() const;
  void require_channels(std::string_view who, std::int64_t channels) const;
  // The same as scale * x + shift, for each channel.
  struct Affine {
    std::vector<double> scale, shift;
  };
  Affine affine() const;
};

}  // namespace mpskit::cnn

MPSKIT_VALUE(cnn, BatchNormalizationParameters)
