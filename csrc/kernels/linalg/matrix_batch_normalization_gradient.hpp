#pragma once
#include "kernels/linalg/matrix_batch_normalization.hpp"

namespace mpskit::linalg {

struct MatrixBatchNormalizationGradient : FeatureGradientKernel {
  float epsilon = std::numeric_limits<float>::min();
  cnn::NeuronDescriptor neuron;
  bool operator==(const MatrixBatchNormalizationGradient&) const = default;

  static constexpr KernelInfo info{
      "MatrixBatchNormalizationGradient", "The gradients of MatrixBatchNormalization with respect to its source, gamma and beta.",
      "MPSMatrixBatchNormalizationGradient, in MPSMatrixBatchNormalization.h",
      "Returns (out, gamma_gradient, beta_gradient). With n = (source - mean) / sqrt(variance + epsilon) and g = gradient * neuron'(n * gamma + beta), these are gamma / "
      "sqrt(variance + epsilon) * (g - mean(g) - n * mean(g * n)), sum(g * n) and sum(g) over the rows that are read. So mean and variance are taken for those of "
      "the source, which move with it, as compute_statistics makes them; Apple's header gives no formula, this is mpskit's definition. Elements of out beyond the "
      "window and the chosen batch keep their values. On a metal device float16 goes through float32 copies."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"epsilon", &MatrixBatchNormalizationGradient::epsilon, Range{.min = 0, .max = std::numeric_limits<float>::max()}, "", "Added to the variance."},
                 Field{"neuron", &MatrixBatchNormalizationGradient::neuron, Range{}, "", "The layer's function, a name or a NeuronDescriptor; no prelu."}},
      feature_fields);
  static constexpr std::array operands{
      gradient_matrix, OperandSpec{"source", Role::input, Kind::matrix, float_dtypes, "What the layer read, of the gradient's dtype."},
      MatrixBatchNormalization::mean, MatrixBatchNormalization::variance, MatrixBatchNormalization::gamma, MatrixBatchNormalization::beta, result_matrix,
      OperandSpec{"gamma_gradient", Role::output, Kind::vector, float_dtypes, "The gradient with respect to gamma; float32 when omitted."},
      OperandSpec{"beta_gradient", Role::output, Kind::vector, float_dtypes, "The gradient with respect to beta; float32 when omitted."}};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 1e-5, 6e-4, "one rounding to half precision, relative to the magnitudes of the terms"},
      Tolerance{DType::f32, 4e-6, 4e-6, "relative to the magnitudes of the terms"}};

  Window window(std::span<const Layout> in, std::span<const Layout> out) const;
  void validate() const {
    require_features(info.name);
    refuse_prelu(info.name, neuron);
  }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { window(in, out); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixBatchNormalizationGradient)
