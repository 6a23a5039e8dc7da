#include "kernels/linalg/matrix_solve_cholesky.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixSolveCholesky& k, const Call& call, const Context& context) : solve_(k.problem(call.inputs[0], call.inputs[1], &call.outputs[0])) {
    if (solve_.is_empty()) return;
    filter_ = made(adopt([[MPSMatrixSolveCholesky alloc] initWithDevice:context.device()
                                                                  upper:k.upper ? YES : NO
                                                                  order:count_of(solve_.order)
                                                 numberOfRightHandSides:count_of(solve_.right_hand_sides)]),
                   context, k);
    set_origins(filter_.get(), k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (solve_.is_empty()) return;
    each_matrix(solve_.batch, [&](std::int64_t m) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceMatrix:e.matrix(o[0], m, 1) rightHandSideMatrix:e.matrix(o[1], m, 1) solutionMatrix:e.matrix(o[2], m, 1)];
    });
  }

 private:
  linalg::Solve solve_;
  retained<MPSMatrixSolveCholesky*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixSolveCholesky, Plan)
