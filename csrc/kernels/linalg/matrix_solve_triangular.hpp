#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/matrix_solve.hpp"

namespace mpskit::linalg {

struct MatrixSolveTriangular : BinaryKernel {
  bool right = false, upper = false, transpose = false, unit = false;
  std::optional<std::int64_t> order, number_of_right_hand_sides;
  float alpha = 1;
  bool operator==(const MatrixSolveTriangular&) const = default;

  static constexpr KernelInfo info{
      "MatrixSolveTriangular", "Solves op(A) @ solution = alpha * right_hand_side, or solution @ op(A), for a triangular A and every matrix of a batch.",
      "MPSMatrixSolveTriangular, in MPSMatrixSolve.h",
      "op(A) is A or its transpose; upper tells of A as it is stored. The other triangle of source is not read, nor the diagonal of a unit one. With "
      "right, right_hand_side and solution are (right-hand sides, order). A zero on the diagonal gives infinity and NaN. alpha = 0 reads neither operand. "
      "op(A) @ solution - alpha * right_hand_side is within 10 * order * 2**-24 of norm(A) * norm(solution) + norm(alpha * right_hand_side). Elements of "
      "the solution beyond the window and the chosen batch keep their values; a new solution has zeros there."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"right", &MatrixSolveTriangular::right, Range{}, "", "Solve solution @ op(A) = alpha * right_hand_side: A stands on the right."},
                 Field{"upper", &MatrixSolveTriangular::upper, Range{}, "", "source is upper triangular, else lower."},
                 Field{"transpose", &MatrixSolveTriangular::transpose, Range{}, "", "Solve with the transpose of A."},
                 Field{"unit", &MatrixSolveTriangular::unit, Range{}, "", "The diagonal of A is ones, whatever is stored there."},
                 Field{"order", &MatrixSolveTriangular::order, element_count, "rows", order_doc},
                 Field{"number_of_right_hand_sides", &MatrixSolveTriangular::number_of_right_hand_sides, element_count, "columns",
                       "Columns of right_hand_side that are solved for, with right its rows; None is all from its origin."},
                 Field{"alpha", &MatrixSolveTriangular::alpha, Range{.min = std::numeric_limits<float>::lowest(), .max = std::numeric_limits<float>::max()}, "",
                       "Factor of the right-hand side."}},
      binary_fields);
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, DTypes{DType::f32}, "The triangular matrices, shape (order, order) or (matrices, order, order)."}, right_hand_side, solution};
  static constexpr std::array tolerances{solve_tolerance};

  Solve problem(const Layout& source, const Layout& b, const Layout* x) const { return solve_problem(info.name, *this, {order, number_of_right_hand_sides}, right, source, b, x); }

  void validate() const { require_solve_origins(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    return infer_solution(info.name, *this, problem(in[0], in[1], nullptr), in[1], hints);
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { problem(in[0], in[1], &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const { return keeps_a_part(*this, {order, number_of_right_hand_sides}, right, out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSolveTriangular)
