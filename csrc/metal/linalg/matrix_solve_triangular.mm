#include "kernels/linalg/matrix_solve_triangular.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixSolveTriangular& k, const Call& call, const Context& context)
      : solve_(k.problem(call.inputs[0], call.inputs[1], &call.outputs[0])), origin_(k.result_matrix_origin) {
    if (solve_.is_empty() || k.alpha == 0) return;
    filter_ = made(adopt([[MPSMatrixSolveTriangular alloc] initWithDevice:context.device()
                                                                    right:k.right ? YES : NO
                                                                    upper:k.upper ? YES : NO
                                                                transpose:k.transpose ? YES : NO
                                                                     unit:k.unit ? YES : NO
                                                                    order:count_of(solve_.order)
                                                   numberOfRightHandSides:count_of(solve_.right_hand_sides)
                                                                    alpha:k.alpha]),
                   context, k);
    set_origins(filter_.get(), k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (solve_.is_empty() || solve_.batch.count == 0) return;
    if (!filter_) return scale_window(e, o[2], solve_.batch, origin_, solve_.extent, 0);  // alpha is 0
    each_matrix(solve_.batch, [&](std::int64_t m) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceMatrix:e.matrix(o[0], m, 1) rightHandSideMatrix:e.matrix(o[1], m, 1) solutionMatrix:e.matrix(o[2], m, 1)];
    });
  }

 private:
  linalg::Solve solve_;
  Origin origin_;
  retained<MPSMatrixSolveTriangular*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixSolveTriangular, Plan)
