#pragma once
#include <vector>

#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

enum class GradientFor : std::uint8_t { data, weights_and_bias };

struct MatrixFullyConnectedGradient : BinaryKernel {
  GradientFor gradient_for = GradientFor::data;
  float alpha = 1;
  std::optional<std::int64_t> source_number_of_feature_vectors, source_input_feature_channels, source_output_feature_channels;
  bool operator==(const MatrixFullyConnectedGradient&) const = default;

  static constexpr KernelInfo info{
      "MatrixFullyConnectedGradient", "The gradients of MatrixFullyConnected with respect to its source, or to its weights and bias.",
      "MPSMatrixFullyConnectedGradient, in MPSMatrixFullyConnected.h",
      "For 'data' the call takes (gradient, weights) and returns alpha * gradient @ weights.T. For 'weights_and_bias' it takes (gradient, source) and returns (alpha * "
      "source.T @ gradient, sums of the gradient's rows). It knows no neuron: a layer to be trained is MatrixFullyConnected without one, followed by "
      "MatrixNeuron. Sums are kept in float32. Results overwrite what was there. alpha is rounded to the dtype of out and clamped to its finite range. Elements of "
      "out beyond the window and the chosen batch keep their values. On a metal device float16 goes through float32 copies."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"gradient_for", &MatrixFullyConnectedGradient::gradient_for, Range{}, "", "Which gradients are wanted."},
                 Field{"alpha", &MatrixFullyConnectedGradient::alpha, finite_range, "", "The layer's factor of the product."},
                 Field{"source_number_of_feature_vectors", &MatrixFullyConnectedGradient::source_number_of_feature_vectors, element_count, "rows", "Rows that the layer read; None is all from the origin."},
                 Field{"source_input_feature_channels", &MatrixFullyConnectedGradient::source_input_feature_channels, element_count, "columns", "The layer's input channels; None is all from the origin."},
                 Field{"source_output_feature_channels", &MatrixFullyConnectedGradient::source_output_feature_channels, element_count, "columns", "The layer's output channels; None is all from the origin."}},
      binary_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{
      gradient_matrix, OperandSpec{"weights", Role::input, Kind::matrix, float_dtypes, "For 'data': the layer's weights, of the gradient's dtype.", Count::optional},
      OperandSpec{"source", Role::input, Kind::matrix, float_dtypes, "For 'weights_and_bias': what the layer read, of the gradient's dtype.", Count::optional}, result_matrix,
      OperandSpec{"bias_gradient", Role::output, Kind::vector, float_dtypes, "For 'weights_and_bias': the gradient with respect to the bias; float32 when omitted."}};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2e-6, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 1.2e-7, 0, "times the number of terms + 2, relative to the magnitudes of the terms"}};

  struct Product {
    std::int64_t rows, inputs, outputs;
    Batch matrices;
    float alpha;
    bool is_for_data;
    Extent result() const { return is_for_data ? Extent{rows, inputs} : Extent{inputs, outputs}; }
  };
  Product product(std::span<const Layout> in, std::span<const Layout> out) const;
  std::vector<OperandSpec> call_operands() const;
  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { product(in, out); }
  bool reads_outputs(std::span<const Layout> out) const;
};

}  // namespace mpskit::linalg

template <>
inline constexpr auto mpskit::enum_names<mpskit::linalg::GradientFor> = std::array<std::string_view, 2>{"data", "weights_and_bias"};

MPSKIT_KERNEL(linalg, MatrixFullyConnectedGradient)
