#pragma once
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {

struct MatrixLogSoftMax : RowsKernel {
  bool operator==(const MatrixLogSoftMax&) const = default;

  static constexpr KernelInfo info{
      "MatrixLogSoftMax", "The logarithms of each row as probabilities.", "MPSMatrixLogSoftMax, in MPSMatrixSoftMax.h",
      "x - max - log(sum(exp(x - max))) over the columns of the window, row by row. A row with a NaN or with infinity is NaN, and so is one of "
      "minus infinity alone; minus infinity beside finite numbers stays what it is. Elements of out beyond the window and the chosen batch keep their values; "
      "a new out has zeros there."};
  static constexpr auto fields = rows_fields;
  static constexpr std::array operands{source_matrix, result_matrix};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 3e-7, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 3e-7, 3e-7, "the rounding of x - max, of a sum near 1 and of the difference"}};

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

MPSKIT_KERNEL(linalg, MatrixLogSoftMax)
