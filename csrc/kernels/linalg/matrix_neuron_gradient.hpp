#pragma once
#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixNeuronGradient : FeatureGradientKernel {
  cnn::NeuronDescriptor neuron;
  float alpha = 1;
  bool operator==(const MatrixNeuronGradient&) const = default;

  static constexpr KernelInfo info{
      "MatrixNeuronGradient", "The gradients of MatrixNeuron with respect to its source and bias.", "MPSMatrixNeuronGradient, in MPSMatrixNeuron.h",
      "Returns (out, bias_gradient). With u = alpha * source + bias, the values that the neuron saw, these are alpha * gradient * neuron'(u), and the sums of gradient * "
      "neuron'(u) over the rows that are read. At a corner of the neuron the derivative is that of its right side, of |x| it is 0 at 0; of relun it is 0 from b on "
      "and of gelu the true one, where Apple's header has slips: mpskit's definition. Slopes of prelu get no gradient. alpha is rounded to the dtype of out and clamped "
      "to its finite range. Elements of out beyond the window and the chosen batch keep their values. On a metal device float16 goes through float32 copies."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"neuron", &MatrixNeuronGradient::neuron, Range{}, "", "The layer's function, a name or a NeuronDescriptor."},
                 Field{"alpha", &MatrixNeuronGradient::alpha, finite_range, "", "The layer's factor of the source."}},
      feature_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{
      gradient_matrix, OperandSpec{"source", Role::input, Kind::matrix, float_dtypes, "What the layer read, of the gradient's dtype."}, bias_vector, result_matrix,
      OperandSpec{"bias_gradient", Role::output, Kind::vector, float_dtypes, "The gradient with respect to the bias; float32 when omitted."}};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 4e-6, 5e-4, "one rounding to half precision, relative to the magnitudes of the terms"},
      Tolerance{DType::f32, 4e-6, 4e-6, "the derivative within some units in the last place of its largest value; relative to the magnitudes of the terms"}};

  Window window(std::span<const Layout> in, std::span<const Layout> out) const;
  void validate() const { require_features(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { window(in, out); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixNeuronGradient)
