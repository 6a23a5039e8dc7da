#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/kernel_options.hpp"
#include "kernels/common/matrix_kernel.hpp"

namespace mpskit::linalg {

struct MatrixVectorMultiplication : BinaryKernel {
  bool transpose = false;
  std::optional<std::int64_t> rows, columns;
  double alpha = 1, beta = 0;
  KernelOptions options = KernelOptions::none;
  bool operator==(const MatrixVectorMultiplication&) const = default;

  static constexpr Range finite{.min = std::numeric_limits<float>::lowest(), .max = std::numeric_limits<float>::max()};

  static constexpr KernelInfo info{
      "MatrixVectorMultiplication", "Matrix times vector: out = alpha * op(matrix) @ vector + beta * out, for every matrix of a batch.",
      "MPSMatrixVectorMultiplication, in MPSMatrixMultiplication.h",
      "op(X) is X or its transpose; rows and columns are those of op(matrix). Matrix and vector have the same dtype; the result is float32, or float16 for "
      "float16, by default the inputs' dtype. On the CPU engine all three may be float64, which Metal does not have. Sums are kept in float32 (of float64 in "
      "float64); each element is within 2*(columns+2)*2**-24 (2**-53) of the exact result, relative to the sum of "
      "the magnitudes of its terms, and is then rounded once. alpha and beta are rounded to the result's dtype and clamped to its finite range. alpha = 0 "
      "reads neither matrix nor vector, beta = 0 does not read out. Vectors begin at the first number of their origin, whose second is 0. Elements of out "
      "beyond the window and the chosen batch keep their values; a new out has zeros there. Vector k goes with matrix k: nothing is broadcast."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"transpose", &MatrixVectorMultiplication::transpose, Range{}, "", "Take the matrix transposed."},
                 Field{"rows", &MatrixVectorMultiplication::rows, element_count, "rows", "Elements of the result; None is all rows of op(matrix) from its origin."},
                 Field{"columns", &MatrixVectorMultiplication::columns, element_count, "columns",
                       "Terms of each sum; None is all columns of op(matrix), which must equal the length of the vector, from their origins."},
                 Field{"alpha", &MatrixVectorMultiplication::alpha, finite, "", "Factor of the product."},
                 Field{"beta", &MatrixVectorMultiplication::beta, finite, "", "Factor of the old contents of out, which must be given unless this is 0."}},
      binary_fields,
      std::tuple{Field{"options", &MatrixVectorMultiplication::options, Range{}, "",
                       "allow_reduced_precision lets an engine multiply in less than float32 where that is quicker, so results vary with the hardware; the CPU engine stays exact."}});
  static constexpr DTypes dtypes{DType::f32, DType::f16, DType::f64};
  static constexpr std::array operands{
      OperandSpec{"matrix", Role::input, Kind::matrix, dtypes, "The matrix, shape (rows, columns) or (matrices, rows, columns)."},
      OperandSpec{"vector", Role::input, Kind::vector, dtypes, "The vector, shape (columns,) or (matrices, columns)."},
      OperandSpec{"out", Role::output, Kind::vector, dtypes, "Where the result goes; made when omitted."}};
  // Of an element, relative to the sum of the magnitudes of its terms.
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2.98e-8, 4.8829e-4, "one rounding to half precision of a float32 sum"},
      Tolerance{DType::f32, 0, 1.2e-7, "times columns + 2, the number of roundings; relative to the sum of the magnitudes of the terms"},
      Tolerance{DType::f64, 0, 2.3e-16, "times columns + 2, as float32; on the CPU engine alone"}};

  struct Product {
    std::int64_t rows, columns;
    Batch batch;
    double alpha, beta;  // in the precision of the result
  };
  // `out` null: a result is still to be made.
  Product product(const Layout& matrix, const Layout& vector, const Layout* out) const;

  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { product(in[0], in[1], &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const;
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixVectorMultiplication)
