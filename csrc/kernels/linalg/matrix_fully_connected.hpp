#pragma once
#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixFullyConnected : BinaryKernel {
  cnn::NeuronDescriptor neuron;
  float alpha = 1;
  std::optional<std::int64_t> source_number_of_feature_vectors, source_input_feature_channels, source_output_feature_channels;
  bool operator==(const MatrixFullyConnected&) const = default;

  static constexpr KernelInfo info{
      "MatrixFullyConnected", "A fully connected layer: out = neuron(alpha * source @ weights + bias).", "MPSMatrixFullyConnected, in MPSMatrixFullyConnected.h",
      "weights are (input channels, output channels), as they multiply; bias holds a number for each output channel and is not scaled. Sums are kept in "
      "float32 and rounded once; an element is within 2*(K+2)*2**-24 of the exact sum, relative to the magnitudes of its K terms, before the neuron. alpha is "
      "rounded to the dtype of out and clamped to its finite range. Elements of out beyond the window and the chosen batch keep their values; a new out has "
      "zeros there. On a metal device float16 goes through float32 copies. In a batch, one bias serves every matrix, or each has its own."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"neuron", &MatrixFullyConnected::neuron, Range{}, "", "The function of the sums, a name or a NeuronDescriptor; no prelu."},
                 Field{"alpha", &MatrixFullyConnected::alpha, finite_range, "", "Factor of the product."},
                 Field{"source_number_of_feature_vectors", &MatrixFullyConnected::source_number_of_feature_vectors, element_count, "rows", "Rows of source that are read; None is all from the origin."},
                 Field{"source_input_feature_channels", &MatrixFullyConnected::source_input_feature_channels, element_count, "columns", "Columns of source and rows of weights that are read; None is all, which must be as many."},
                 Field{"source_output_feature_channels", &MatrixFullyConnected::source_output_feature_channels, element_count, "columns", "Columns of weights that are read; None is all from the origin."}},
      binary_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{
      source_matrix, OperandSpec{"weights", Role::input, Kind::matrix, float_dtypes, "Shape (input channels, output channels), of the source's dtype, as many matrices as source."},
      bias_vector, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2e-6, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 1.2e-7, 4e-6, "absolute: times K + 2 and the magnitudes of the terms; relative: the neuron"}};

  struct Product {
    std::int64_t rows, inputs, outputs;
    Batch matrices;
    float alpha;
  };
  Product product(std::span<const Layout> in, const Layout* out) const;
  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { product(in, &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const {
    return leaves_a_part(out[0], result_matrix_origin, {"", "", source_number_of_feature_vectors, source_output_feature_channels}, batch_start, batch_size);
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixFullyConnected)
