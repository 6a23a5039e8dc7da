#pragma once
#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixNeuron : FeatureKernel {
  cnn::NeuronDescriptor neuron;
  float alpha = 1;
  bool operator==(const MatrixNeuron&) const = default;

  static constexpr KernelInfo info{
      "MatrixNeuron", "A neuron over the elements of a matrix: out = neuron(alpha * source + bias).", "MPSMatrixNeuron, in MPSMatrixNeuron.h",
      "bias holds a number for each column. alpha is rounded to the dtype of out and clamped to its finite range. NaN stays NaN. Elements of out beyond the "
      "window and the chosen batch keep their values; a new out has zeros there. On a metal device float16 goes through float32 copies. In a batch, one "
      "bias serves every matrix, or each has its own: Apple's header says neither."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"neuron", &MatrixNeuron::neuron, Range{}, "", "The function, a name or a NeuronDescriptor."},
                 Field{"alpha", &MatrixNeuron::alpha, finite_range, "", "Factor of the source."}},
      feature_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{source_matrix, bias_vector, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2e-6, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 2e-6, 4e-6, "the rounding of alpha * source + bias and a neuron of some units in the last place; alpha * source + bias within a few units"}};

  Window window(std::span<const Layout> in, const Layout* out) const;
  void validate() const { require_features(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    require_hints(info.name, hints, in[0].dtype);
    return {result_of(window(in, nullptr), result_matrix_origin, in[0].dtype, in[0].matrices())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    require_same_dtype(info.name, "source", in[0], "out", out[0]);
    window(in, &out[0]);
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixNeuron)
