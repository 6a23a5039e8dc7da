#include "kernels/linalg/matrix_solve_lu.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixSolveLU& k, const Call& call, const Context& context) : solve_(k.problem(call.inputs, &call.outputs[0])) {
    if (solve_.is_empty()) return;
    filter_ = made(adopt([[MPSMatrixSolveLU alloc] initWithDevice:context.device()
                                                        transpose:k.transpose ? YES : NO
                                                            order:count_of(solve_.order)
                                           numberOfRightHandSides:count_of(solve_.right_hand_sides)]),
                   context, k);
    set_origins(filter_.get(), k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (solve_.is_empty() || solve_.batch.count == 0) return;
    // Indices come from the caller: MPS gets such as name rows only.
    const Place given = e.place(o[2]);
    const auto n = static_cast<unsigned int>(solve_.order);
    id<MTLBuffer> scratch = scratch_buffer(e, linalg::MatrixSolveLU::info.name, solve_.order * static_cast<std::int64_t>(sizeof(n)), MTLResourceStorageModePrivate);
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1 columns:n rowBytes:n * sizeof(n) dataType:MPSDataTypeUInt32];
    MPSMatrix* pivots = e.keep(adopt([[MPSMatrix alloc] initWithBuffer:scratch descriptor:d]));
    each_matrix(solve_.batch, [&](std::int64_t m) {
      const PivotArguments a{given.offset + static_cast<unsigned long>(m * o[2].layout.vector_bytes()), n};
      Encoder::Pass(e, "limit_pivots").add({given.buffer, scratch}, {}, a, MTLSizeMake(n, 1, 1));
      [filter_.get() encodeToCommandBuffer:e.commands()
                              sourceMatrix:e.matrix(o[0], m, 1)
                       rightHandSideMatrix:e.matrix(o[1], m, 1)
                              pivotIndices:pivots
                            solutionMatrix:e.matrix(o[3], m, 1)];
    });
  }

 private:
  linalg::Solve solve_;
  retained<MPSMatrixSolveLU*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixSolveLU, Plan)
