#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/matrix_decomposition.hpp"
#include "kernels/common/matrix_kernel.hpp"

namespace mpskit::linalg {

struct MatrixDecompositionCholesky : UnaryKernel {
  bool lower = true;
  std::optional<std::int64_t> order;
  bool operator==(const MatrixDecompositionCholesky&) const = default;

  static constexpr KernelInfo info{
      "MatrixDecompositionCholesky", "Cholesky factors of symmetric positive definite matrices: source = L @ L.T, or U.T @ U, for every matrix of a batch.",
      "MPSMatrixDecompositionCholesky, in MPSMatrixDecomposition.h",
      "Reads one triangle of source, the lower one for L and the upper one for U; symmetry is assumed. Writes the same triangle of the "
      "result: the other one keeps what it held, and is zero in a new result. status holds a number for each matrix: 0 is success, -3 "
      "not positive definite: a pivot is 0, negative or NaN. Then the columns of L before that pivot are finished and the pivot itself, "
      "not its root, is on the diagonal; the rest is unfinished. status of matrices outside the batch is left alone, and 0 when new. The "
      "result may be source itself when the origins are the same. source - L @ L.T is within 10 * order * 2**-24 of the norm of source."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"lower", &MatrixDecompositionCholesky::lower, Range{}, "", "Factor into L @ L.T, else into U.T @ U."},
                 Field{"order", &MatrixDecompositionCholesky::order, element_count, "rows", "Rows and columns of the matrices; None is all of source from its origin."}},
      unary_fields);
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, DTypes{DType::f32}, "The matrices, shape (order, order) or (matrices, order, order)."},
      OperandSpec{"result", Role::output, Kind::matrix, DTypes{DType::f32}, "The factors; made when omitted."},
      decomposition_status};
  static constexpr std::array tolerances{
      Tolerance{DType::f32, 0, 5.97e-7, "times order; of source - L @ L.T, relative to the norm of source: sums of order terms in float32"},
      Tolerance{DType::i32, 0, 0, "an exact number"}};

  struct Problem {
    std::int64_t order;
    Batch batch;
  };
  // `result` and `status` null: still to be made.
  Problem problem(const Layout& source, const Layout* result, const Layout* status) const;

  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { problem(in[0], &out[0], &out[1]); }
  bool reads_outputs(std::span<const Layout>) const { return true; }  // the other triangle stays
  bool works_in_place() const { return source_matrix_origin == result_matrix_origin; }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixDecompositionCholesky)
