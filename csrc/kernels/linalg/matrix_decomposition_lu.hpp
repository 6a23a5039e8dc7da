#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/matrix_decomposition.hpp"
#include "kernels/common/matrix_kernel.hpp"

namespace mpskit::linalg {

struct MatrixDecompositionLU : UnaryKernel {
  std::optional<std::int64_t> rows, columns;
  bool operator==(const MatrixDecompositionLU&) const = default;

  static constexpr KernelInfo info{
      "MatrixDecompositionLU", "LU factors with partial pivoting, P @ source = L @ U, for every matrix of a batch.",
      "MPSMatrixDecompositionLU, in MPSMatrixDecomposition.h",
      "The result holds L below the diagonal, whose ones are not stored, and U on and above it. pivot_indices holds, for each row i of the "
      "smaller side, the row from 0 with which it was interchanged, in this order: LAPACK's ipiv less 1, no permutation. They count from "
      "source_matrix_origin. The first of equal magnitudes is the pivot. status holds a number for each matrix: 0 is success, -2 singular: a "
      "pivot is exactly 0, and the factors are finished but fit no solve. NaN in source is no singularity: it reaches the factors. What belongs "
      "to matrices outside the batch is left alone, and 0 when new. The result may be source itself when the origins are the same. P @ source - "
      "L @ U is within 10 * min(rows, columns) * 2**-24 of norm(L) * norm(U)."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"rows", &MatrixDecompositionLU::rows, element_count, "rows", "Rows that are factored; None is all of source from its origin."},
                 Field{"columns", &MatrixDecompositionLU::columns, element_count, "columns", "Columns that are factored; None is all of source from its origin."}},
      unary_fields);
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, DTypes{DType::f32}, "The matrices, shape (rows, columns) or (matrices, rows, columns)."},
      OperandSpec{"result", Role::output, Kind::matrix, DTypes{DType::f32}, "The factors; made when omitted."},
      OperandSpec{"pivot_indices", Role::output, Kind::vector, DTypes{DType::u32}, "The interchanges, shape (min(rows, columns),) or (matrices, min(rows, columns)); made when omitted."},
      decomposition_status};
  static constexpr std::array tolerances{
      Tolerance{DType::f32, 0, 5.97e-7, "times min(rows, columns); of P @ source - L @ U, relative to norm(L) * norm(U): sums in float32"},
      Tolerance{DType::u32, 0, 0, "an exact number"}, Tolerance{DType::i32, 0, 0, "an exact number"}};

  struct Problem {
    Extent extent;
    std::int64_t pivots;
    Batch batch;
  };
  // Outputs null: still to be made.
  Problem problem(const Layout& source, const Layout* result, const Layout* pivots, const Layout* status) const;

  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { problem(in[0], &out[0], &out[1], &out[2]); }
  bool reads_outputs(std::span<const Layout> out) const;
  bool works_in_place() const { return source_matrix_origin == result_matrix_origin; }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixDecompositionLU)
