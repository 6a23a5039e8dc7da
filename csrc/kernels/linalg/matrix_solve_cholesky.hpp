#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/matrix_solve.hpp"

namespace mpskit::linalg {

struct MatrixSolveCholesky : BinaryKernel {
  bool upper = false;
  std::optional<std::int64_t> order, number_of_right_hand_sides;
  bool operator==(const MatrixSolveCholesky&) const = default;

  static constexpr KernelInfo info{
      "MatrixSolveCholesky", "Solves A @ solution = right_hand_side by the Cholesky factors of A, for every matrix of a batch.",
      "MPSMatrixSolveCholesky, in MPSMatrixSolve.h",
      "source is what MatrixDecompositionCholesky gave when its status was 0: lower=True there is upper=False here. The other triangle of source is "
      "not read. A @ solution - right_hand_side is within 10 * order * 2**-24 of norm(A) * norm(solution) + norm(right_hand_side). Factors with a zero "
      "on the diagonal give infinity and NaN. Elements of the solution beyond the window and the chosen batch keep their values; a new solution has zeros there."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"upper", &MatrixSolveCholesky::upper, Range{}, "", "source holds U of A = U.T @ U, else L of A = L @ L.T."},
                 Field{"order", &MatrixSolveCholesky::order, element_count, "rows", order_doc},
                 Field{"number_of_right_hand_sides", &MatrixSolveCholesky::number_of_right_hand_sides, element_count, "columns", right_hand_sides_doc}},
      binary_fields);
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, DTypes{DType::f32}, "The factors, shape (order, order) or (matrices, order, order)."}, right_hand_side, solution};
  static constexpr std::array tolerances{solve_tolerance};

  Solve problem(const Layout& source, const Layout& b, const Layout* x) const { return solve_problem(info.name, *this, {order, number_of_right_hand_sides}, false, source, b, x); }

  void validate() const { require_solve_origins(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    return infer_solution(info.name, *this, problem(in[0], in[1], nullptr), in[1], hints);
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { problem(in[0], in[1], &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const { return keeps_a_part(*this, {order, number_of_right_hand_sides}, false, out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSolveCholesky)
