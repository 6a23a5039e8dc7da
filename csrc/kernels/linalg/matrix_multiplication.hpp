#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <tuple>

#include "core/geometry.hpp"
#include "core/kernel.hpp"
#include "kernels/common/kernel_options.hpp"

namespace mpskit::linalg {

struct MatrixMultiplication {
  bool transpose_left = false, transpose_right = false;
  double alpha = 1, beta = 0;
  std::optional<std::int64_t> result_rows, result_columns, interior_columns;
  Origin left_matrix_origin, right_matrix_origin, result_matrix_origin;  // x is the row, y the column
  std::int64_t batch_start = 0;
  std::optional<std::int64_t> batch_size;
  KernelOptions options = KernelOptions::none;
  bool operator==(const MatrixMultiplication&) const = default;

  static constexpr Range finite{.min = std::numeric_limits<float>::lowest(), .max = std::numeric_limits<float>::max()};
  static constexpr Range size{.min = 0, .max = 2147483647};
  static constexpr Range count{.min = 1, .max = 2147483647};

  static constexpr KernelInfo info{
      "MatrixMultiplication", "Matrix product: out = alpha * op(left) @ op(right) + beta * out, for every matrix of a batch.",
      "MPSMatrixMultiplication, in MPSMatrixMultiplication.h",
      "op(X) is X or its transpose. Pairs of dtypes: float32 and float32, float16 and float16, float32 and float16, int8 and "
      "int8, int16 and int16; on the CPU engine float64 and float64 too, which Metal does not have. The result is float32, or float16 for "
      "pairs of float16 or int8, and float64 for those of float64; by default the inputs' dtype, "
      "float32 for integers and for mixed inputs. Integers are plain integers. Sums are kept in float32 (of float64 in float64), of integers exactly on "
      "the CPU engine; each element is within 2*(K+2)*2**-24 (2**-53) of the exact result, relative to the sum of the magnitudes of its "
      "terms, and is then rounded once. alpha and beta are rounded to the result's dtype and clamped to its finite range. "
      "alpha = 0 reads neither factor, beta = 0 does not read out, so their NaN stay where they are. Elements of out beyond "
      "the result window and the chosen batch keep their values; a new out has zeros there. Every operand has the same "
      "number of matrices: nothing is broadcast."};
  static constexpr std::tuple fields{
      Field{"transpose_left", &MatrixMultiplication::transpose_left, Range{}, "", "Take the left factor transposed."},
      Field{"transpose_right", &MatrixMultiplication::transpose_right, Range{}, "", "Take the right factor transposed."},
      Field{"alpha", &MatrixMultiplication::alpha, finite, "", "Factor of the product."},
      Field{"beta", &MatrixMultiplication::beta, finite, "", "Factor of the old contents of out, which must be given unless this is 0."},
      Field{"result_rows", &MatrixMultiplication::result_rows, size, "rows", "Rows of the result window; None is all rows of op(left) from its origin."},
      Field{"result_columns", &MatrixMultiplication::result_columns, size, "columns", "Columns of the result window; None is all columns of op(right) from its origin."},
      Field{"interior_columns", &MatrixMultiplication::interior_columns, size, "columns", "Terms of each sum; None is all columns of op(left), which must equal the rows of op(right), from their origins."},
      Field{"left_matrix_origin", &MatrixMultiplication::left_matrix_origin, Range{}, "", "First (row, column) read from left as it is stored, before it is transposed."},
      Field{"right_matrix_origin", &MatrixMultiplication::right_matrix_origin, Range{}, "", "First (row, column) read from right as it is stored, before it is transposed."},
      Field{"result_matrix_origin", &MatrixMultiplication::result_matrix_origin, Range{}, "", "First (row, column) written in out."},
      Field{"batch_start", &MatrixMultiplication::batch_start, size, "matrices", "First matrix of the batch that is multiplied."},
      Field{"batch_size", &MatrixMultiplication::batch_size, count, "matrices", "How many matrices are multiplied; None is all from batch_start."},
      Field{"options", &MatrixMultiplication::options, Range{}, "",
            "allow_reduced_precision lets an engine multiply in less than float32 where that is quicker, so results vary with the hardware. The CPU engine rounds the "
            "factors of large products to bfloat16 (each term within 2**-8) on processors with AMX, and stays exact on all others."}};
  static constexpr std::array aliases{Alias{"transpose_a", {"transpose_left", ""}}, Alias{"transpose_b", {"transpose_right", ""}}};
  static constexpr DTypes factor_dtypes{DType::f32, DType::f16, DType::i8, DType::i16, DType::f64};
  static constexpr std::array operands{
      OperandSpec{"left", Role::input, Kind::matrix, factor_dtypes, "The left factor, shape (rows, columns) or (matrices, rows, columns)."},
      OperandSpec{"right", Role::input, Kind::matrix, factor_dtypes, "The right factor, with as many matrices as left."},
      OperandSpec{"out", Role::output, Kind::matrix, DTypes{DType::f32, DType::f16, DType::f64}, "Where the result goes; made when omitted."}};
  // Of an element, relative to the sum of the magnitudes of its terms; K is the number of terms.
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2.98e-8, 4.8829e-4, "one rounding to half precision of a float32 sum of K terms"},
      Tolerance{DType::f32, 0, 1.2e-7, "times K + 2, the number of roundings; relative to the sum of the magnitudes of the terms"},
      Tolerance{DType::f64, 0, 2.3e-16, "times K + 2, as float32; on the CPU engine alone"}};

  // What a call means in elements: op(left) is rows x interior, op(right) interior x columns.
  struct Product {
    std::int64_t rows, columns, interior;
    std::int64_t first, count;  // matrices
    double alpha, beta;         // in the precision of the result
  };
  // `out` null: a result is still to be made. ValueError or TypeError says what does not fit.
  Product product(const Layout& left, const Layout& right, const Layout* out) const;

  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { product(in[0], in[1], &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const;
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixMultiplication)
