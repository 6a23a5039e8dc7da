#include "kernels/linalg/matrix_decomposition_lu.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixDecompositionLU& k, const Call& call, const Context& context)
      : problem_(k.problem(call.inputs[0], &call.outputs[0], &call.outputs[1], &call.outputs[2])) {
    if (problem_.pivots == 0) return;
    filter_ = made(adopt([[MPSMatrixDecompositionLU alloc] initWithDevice:context.device()
                                                                     rows:count_of(problem_.extent.rows)
                                                                  columns:count_of(problem_.extent.columns)]),
                   context, k);
    set_origins(filter_.get(), k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (problem_.batch.count == 0) return;
    Status status(e, linalg::MatrixDecompositionLU::info.name, o[3]);
    if (problem_.pivots == 0) return each_matrix(problem_.batch, [&](std::int64_t m) { status.take(m); });
    const Operand pivots = as_rows(o[2]);
    each_matrix(problem_.batch, [&](std::int64_t m) {
      [filter_.get() encodeToCommandBuffer:e.commands()
                              sourceMatrix:e.matrix(o[0], m, 1)
                              resultMatrix:e.matrix(o[1], m, 1)
                              pivotIndices:e.matrix(pivots, m, 1)
                                    status:status.buffer()];
      status.take(m);
    });
  }

 private:
  linalg::MatrixDecompositionLU::Problem problem_;
  retained<MPSMatrixDecompositionLU*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixDecompositionLU, Plan)
