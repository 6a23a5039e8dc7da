#pragma once
#include <vector>

#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixBatchNormalization : FeatureKernel {
  bool compute_statistics = false;
  float epsilon = std::numeric_limits<float>::min();
  cnn::NeuronDescriptor neuron;
  bool operator==(const MatrixBatchNormalization&) const = default;

  static constexpr KernelInfo info{
      "MatrixBatchNormalization", "Normalizes each column: out = neuron((source - mean) / sqrt(variance + epsilon) * gamma + beta).",
      "MPSMatrixBatchNormalization, in MPSMatrixBatchNormalization.h",
      "Rows are samples, columns feature channels. Without compute_statistics the call takes (source, mean, variance), with it (source) alone and returns (out, mean, "
      "variance), those of the rows that it reads; gamma and beta follow in either case, ones and zeros when omitted. Each of them is one vector, or one for "
      "each matrix of a batch. The square root, and a variance divided by the number of rows, are mpskit's definition: Apple's header has no root in its "
      "text and does not say which variance. Elements of out beyond the window and the chosen batch keep their values; a new out has zeros there. On a metal device "
      "float16 goes through float32 copies."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"compute_statistics", &MatrixBatchNormalization::compute_statistics, Range{}, "", "Take mean and variance from the rows, and return them."},
                 Field{"epsilon", &MatrixBatchNormalization::epsilon, Range{.min = 0, .max = std::numeric_limits<float>::max()}, "", "Added to the variance."},
                 Field{"neuron", &MatrixBatchNormalization::neuron, Range{}, "", "The function of the result, a name or a NeuronDescriptor; no prelu."}},
      feature_fields);
  static constexpr OperandSpec mean{"mean", Role::input, Kind::vector, float_dtypes, "The mean of each column; without compute_statistics."};
  static constexpr OperandSpec variance{"variance", Role::input, Kind::vector, float_dtypes, "The variance of each column; without compute_statistics."};
  static constexpr OperandSpec gamma{"gamma", Role::input, Kind::vector, float_dtypes, "A factor for each column, ones when omitted.", Count::optional};
  static constexpr OperandSpec beta{"beta", Role::input, Kind::vector, float_dtypes, "A summand for each column, zeros when omitted.", Count::optional};
  static constexpr std::array operands{source_matrix, with_count(mean, Count::optional), with_count(variance, Count::optional), gamma, beta, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 1e-5, 6e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 4e-6, 4e-6, "the rounding of the statistics, the difference, the root and the neuron; absolute: times the magnitudes of source / deviation"}};

  // Where the optional vectors stand among the inputs.
  std::size_t gamma_index() const { return compute_statistics ? 1 : 3; }
  Window window(std::span<const Layout> in, std::span<const Layout> out) const;
  std::vector<OperandSpec> call_operands() const;
  void validate() const {
    require_features(info.name);
    refuse_prelu(info.name, neuron);
  }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { window(in, out); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixBatchNormalization)
