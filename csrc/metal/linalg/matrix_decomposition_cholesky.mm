#include "kernels/linalg/matrix_decomposition_cholesky.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixDecompositionCholesky& k, const Call& call, const Context& context)
      : kernel_(k), problem_(k.problem(call.inputs[0], &call.outputs[0], &call.outputs[1])) {
    if (problem_.order == 0) return;
    filter_ = made(adopt([[MPSMatrixDecompositionCholesky alloc] initWithDevice:context.device() lower:k.lower ? YES : NO order:count_of(problem_.order)]), context, k);
    set_origins(filter_.get(), k);
    filter_.get().resultMatrixOrigin = MTLOriginMake(0, 0, 0);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const std::int64_t n = problem_.order;
    if (problem_.batch.count == 0) return;
    Status status(e, kernel_.info.name, o[2]);
    if (n == 0) return each_matrix(problem_.batch, [&](std::int64_t m) { status.take(m); });
    // What MPS does with the other triangle is open; ours stays as it was. So the factor is made elsewhere and one triangle copied.
    const auto row_bytes = static_cast<std::int64_t>([MPSMatrixDescriptor rowBytesForColumns:count_of(n) dataType:MPSDataTypeFloat32]);
    id<MTLBuffer> scratch = scratch_buffer(e, kernel_.info.name, n * row_bytes, MTLResourceStorageModePrivate);
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:count_of(n) columns:count_of(n) rowBytes:count_of(row_bytes) dataType:MPSDataTypeFloat32];
    MPSMatrix* factor = e.keep(adopt([[MPSMatrix alloc] initWithBuffer:scratch descriptor:d]));
    const Place to = e.place(o[1]);
    const Layout& l = o[1].layout;
    each_matrix(problem_.batch, [&](std::int64_t m) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceMatrix:e.matrix(o[0], m, 1) resultMatrix:factor status:status.buffer()];
      TriangleArguments a{};
      a.src_row_bytes = static_cast<unsigned long>(row_bytes);
      a.dst_offset = to.offset + static_cast<unsigned long>(m * l.matrix_bytes() + kernel_.result_matrix_origin.x * l.row_bytes() +
                                                            kernel_.result_matrix_origin.y * l.element_bytes());
      a.dst_row_bytes = static_cast<unsigned long>(l.row_bytes());
      a.order = static_cast<unsigned int>(n);
      a.is_lower = kernel_.lower;
      Encoder::Pass(e, "copy_triangle").add({scratch, to.buffer}, {}, a, MTLSizeMake(a.order, a.order, 1));
      status.take(m);
    });
  }

 private:
  linalg::MatrixDecompositionCholesky kernel_;
  linalg::MatrixDecompositionCholesky::Problem problem_;
  retained<MPSMatrixDecompositionCholesky*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixDecompositionCholesky, Plan)
