#include "cpu/linalg/solve.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixSolveCholeskyPlan final : public SolvePlan {
 public:
  MatrixSolveCholeskyPlan(const linalg::MatrixSolveCholesky& k, const Call& call)
      : SolvePlan(k, k.problem(call.inputs[0], call.inputs[1], &call.outputs[0])), is_upper_(k.upper) {}

  void run(std::span<const View> views) const override {
    const std::int64_t n = solve_.order;
    if (goes_by_lanes(views)) {
      each_group(views, false, {!is_upper_, is_upper_}, [&](const Group& g) {
        const LaneWindow turned{g.factors.data, 1, n}, &lower = is_upper_ ? turned : g.factors, &upper = is_upper_ ? g.factors : turned;
        solve_lanes(lower, true, false, n, g.x, g.columns);
        solve_lanes(upper, false, false, n, g.x, g.columns);
      });
      return;
    }
    each(views, [&](const Matrices<const float>& a, const Matrices<const float>& b, const Block& x, std::int64_t) {
      const Triangle stored{a.data, a.row, 1, !is_upper_};
      solve_left(is_upper_ ? stored.transposed() : stored, x, b.data, b.row);
      solve_left(is_upper_ ? stored : stored.transposed(), x);
    });
  }

 private:
  bool is_upper_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSolveCholesky, MatrixSolveCholeskyPlan)
