#include "kernels/linalg/matrix_copy_to_image.hpp"

#include "metal/image/matrix_copy.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixCopyToImage& k, const Call&, const Context& context)
      : k_(k), copy_(made(adopt([[MPSMatrixCopyToImage alloc] initWithDevice:context.device() dataLayout:to_mps(k.data_layout)]), context, k)) {
    copy_.get().sourceMatrixBatchIndex = 0;
  }
  static std::optional<std::string> refuses(const linalg::MatrixCopyToImage&, const Call& call, const Context&) { return refuses_matrix_of(call.outputs[0].dtype); }

  void encode(Encoder& e, std::span<const Operand> o) override {
    MPSMatrix* matrix = matrix_of_pictures(e, o[0], k_.source_matrix_batch_index);
    const Written everything;
    each_part(e, o[1], k_.source_matrix_origin, &everything, [&](MPSImageBatch* images, MTLOrigin origin) {
      copy_.get().sourceMatrixOrigin = origin;
      [copy_.get() encodeBatchToCommandBuffer:e.commands() sourceMatrix:matrix destinationImages:images];
    });
  }

 private:
  linalg::MatrixCopyToImage k_;
  retained<MPSMatrixCopyToImage*> copy_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixCopyToImage, Plan)
