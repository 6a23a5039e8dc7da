#pragma once
#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixSoftMaxGradient : RowsGradientKernel {
  bool operator==(const MatrixSoftMaxGradient&) const = default;

  static constexpr KernelInfo info{
      "MatrixSoftMaxGradient", "The gradient of MatrixSoftMax with respect to its source.", "MPSMatrixSoftMaxGradient, in MPSMatrixSoftMax.h",
      "y * (gradient - sum(gradient * y)) over the columns of the window, row by row, with y = forward_output. NaN and infinity reach their own row only. "
      "Elements of out beyond the window and the chosen batch keep their values; a new out has zeros there. On a metal device float16 goes through float32 copies."};
  static constexpr auto fields = rows_fields;
  static constexpr std::array operands{
      gradient_matrix, OperandSpec{"forward_output", Role::input, Kind::matrix, float_dtypes, "What MatrixSoftMax returned, of the gradient's dtype."}, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 4e-6, 5e-4, "one rounding to half precision, relative to the magnitudes of the terms"},
      Tolerance{DType::f32, 1e-6, 1e-6, "a float32 sum and a difference, relative to the magnitudes of the terms"}};

  Window window(std::span<const Layout> in, const Layout* out) const {
    require_same_dtype(info.name, "gradient", in[0], "forward_output", in[1]);
    if (out) require_same_dtype(info.name, "gradient", in[0], "out", *out);
    return window_of(info.name, *this, sizes(), {"gradient", "forward_output", in[0], in[1]}, out);
  }
  void validate() const { require_rows(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    require_hints(info.name, hints, in[0].dtype);
    return {result_of(window(in, nullptr), result_matrix_origin, in[0].dtype, in[0].matrices())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { window(in, &out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSoftMaxGradient)
