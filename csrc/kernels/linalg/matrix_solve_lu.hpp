#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "kernels/common/matrix_solve.hpp"

namespace mpskit::linalg {

struct MatrixSolveLU : BinaryKernel {
  bool transpose = false;
  std::optional<std::int64_t> order, number_of_right_hand_sides;
  bool operator==(const MatrixSolveLU&) const = default;

  static constexpr KernelInfo info{
      "MatrixSolveLU", "Solves op(A) @ solution = right_hand_side by the LU factors of A, for every matrix of a batch.",
      "MPSMatrixSolveLU, in MPSMatrixSolve.h",
      "op(A) is A or its transpose. source and pivot_indices are what MatrixDecompositionLU gave when its status was 0. An index that is no row is a "
      "ValueError on the CPU engine; on Metal, which cannot tell before it works, it counts as the last row. op(A) @ solution - right_hand_side is "
      "within 10 * order * 2**-24 of norm(L) * norm(U) * norm(solution) + norm(right_hand_side). Singular factors give infinity and NaN. Elements of "
      "the solution beyond the window and the chosen batch keep their values; a new solution has zeros there."};
  static constexpr std::tuple fields = std::tuple_cat(
      std::tuple{Field{"transpose", &MatrixSolveLU::transpose, Range{}, "", "Solve with the transpose of A."},
                 Field{"order", &MatrixSolveLU::order, element_count, "rows", order_doc},
                 Field{"number_of_right_hand_sides", &MatrixSolveLU::number_of_right_hand_sides, element_count, "columns", right_hand_sides_doc}},
      binary_fields);
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, DTypes{DType::f32}, "The factors, shape (order, order) or (matrices, order, order)."}, right_hand_side,
      OperandSpec{"pivot_indices", Role::input, Kind::vector, DTypes{DType::u32}, "The interchanges, shape (order,) or (matrices, order)."}, solution};
  static constexpr std::array tolerances{solve_tolerance};

  Solve problem(std::span<const Layout> in, const Layout* x) const;

  void validate() const { require_solve_origins(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const { return infer_solution(info.name, *this, problem(in, nullptr), in[1], hints); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { problem(in, &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const { return keeps_a_part(*this, {order, number_of_right_hand_sides}, false, out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSolveLU)
