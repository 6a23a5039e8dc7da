#pragma once
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {

struct MatrixSoftMax : RowsKernel {
  bool operator==(const MatrixSoftMax&) const = default;

  static constexpr KernelInfo info{
      "MatrixSoftMax", "Each row as probabilities.", "MPSMatrixSoftMax, in MPSMatrixSoftMax.h",
      "exp(x - max) / sum(exp(x - max)) over the columns of the window, row by row. Subtracting the largest value keeps every input from "
      "overflowing; results below the least normal float32 may be 0. A row with a NaN or with infinity is NaN, and so is one of minus infinity alone; "
      "minus infinity beside finite numbers is 0. Elements of out beyond the window and the chosen batch keep their values; a new out has zeros there."};
  static constexpr auto fields = rows_fields;
  static constexpr std::array operands{source_matrix, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 6e-8, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 3e-8, 1e-6, "the rounding of x - max, an exponential, a sum and a division"}};

  Window window(const Layout& source, const Layout* out) const { return window_of(info.name, *this, sizes(), source, out); }
  void validate() const { require_rows(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    require_hints(info.name, hints, in[0].dtype);
    return {result_of(window(in[0], nullptr), result_matrix_origin, in[0].dtype, in[0].matrices())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    require_same_dtype(info.name, "source", in[0], "out", out[0]);
    window(in[0], &out[0]);
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSoftMax)
