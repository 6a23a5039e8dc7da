#include "cpu/linalg/solve.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixSolveTriangularPlan final : public SolvePlan {
 public:
  MatrixSolveTriangularPlan(const linalg::MatrixSolveTriangular& k, const Call& call)
      : SolvePlan(k, k.problem(call.inputs[0], call.inputs[1], &call.outputs[0])), kernel_(k) {}

  void run(std::span<const View> views) const override {
    const std::int64_t n = solve_.order;
    const float alpha = kernel_.alpha;
    if (alpha != 0 && goes_by_lanes(views)) {
      // X * op(A) = B is op(A).T * X.T = B.T, and rows of B are columns there.
      const bool is_turned = kernel_.right != kernel_.transpose, is_lower = kernel_.upper == is_turned;
      each_group(views, kernel_.right, {!kernel_.upper, kernel_.upper}, [&](const Group& g) {
        if (alpha != 1)
          for (std::int64_t i = 0; i < n * g.columns; ++i) store(g.x.data + i * lanes<float>, alpha * load<Vec<float>>(g.x.data + i * lanes<float>));
        solve_lanes(is_turned ? LaneWindow{g.factors.data, 1, n} : g.factors, is_lower, kernel_.unit, n, g.x, g.columns);
      });
      return;
    }
    each(views, [&](const Matrices<const float>& a, const Matrices<const float>& b, const Block& x, std::int64_t) {
      if (alpha == 0) {
        for (std::int64_t i = 0; i < x.rows; ++i) std::fill(x.row(i), x.row(i) + x.columns, 0.0f);
        return;
      }
      const Triangle stored{a.data, a.row, 1, !kernel_.upper, kernel_.unit}, t = kernel_.transpose ? stored.transposed() : stored;
      if (kernel_.right) solve_right(t, x, b.data, b.row, alpha);
      else solve_left(t, x, b.data, b.row, alpha);
    });
  }

 private:
  linalg::MatrixSolveTriangular kernel_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSolveTriangular, MatrixSolveTriangularPlan)
