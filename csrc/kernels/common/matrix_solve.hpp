#pragma once
#include <optional>

#include "kernels/common/matrix_kernel.hpp"

// What the kernels that solve linear systems have in common.
namespace mpskit::linalg {

inline constexpr const char* order_doc = "Rows and columns of the systems; None is all of source from its origin.";
inline constexpr const char* right_hand_sides_doc = "Columns of right_hand_side that are solved for; None is all from its origin.";

inline constexpr OperandSpec right_hand_side{"right_hand_side", Role::input, Kind::matrix, DTypes{DType::f32},
                                             "Shape (order, right-hand sides) or (matrices, order, right-hand sides)."};
inline constexpr OperandSpec solution{"solution", Role::output, Kind::matrix, DTypes{DType::f32}, "Where the solutions go; made when omitted."};
inline constexpr Tolerance solve_tolerance{
    DType::f32, 0, 5.97e-7, "times order; of A @ solution - right_hand_side, relative to norm(A) * norm(solution) + norm(right_hand_side)"};

struct Solve {
  std::int64_t order, right_hand_sides;
  Extent extent;  // of right-hand side and solution, as they are stored
  Batch batch;
  bool is_empty() const { return order == 0 || right_hand_sides == 0; }
};
struct SolveSizes {
  std::optional<std::int64_t> order, right_hand_sides;
};

// `x` null: the solution is still to be made. `is_right`: right-hand sides are rows.
Solve solve_problem(std::string_view kernel, const BinaryKernel& k, const SolveSizes& sizes, bool is_right, const Layout& a, const Layout& b, const Layout* x);
void require_solve_origins(std::string_view kernel, const BinaryKernel& k);
Layouts infer_solution(std::string_view kernel, const BinaryKernel& k, const Solve& s, const Layout& b, const OutputHints& hints);
// Whether some of the solution keeps its old values.
bool keeps_a_part(const BinaryKernel& k, const SolveSizes& sizes, bool is_right, const Layout& x);

}  // namespace mpskit::linalg
