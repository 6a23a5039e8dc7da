#include "kernels/image/copy_to_matrix.hpp"

#include "metal/image/matrix_copy.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::CopyToMatrix& k, const Call&, const Context& context)
      : k_(k), copy_(made(adopt([[MPSImageCopyToMatrix alloc] initWithDevice:context.device() dataLayout:to_mps(k.data_layout)]), context, k)) {
    copy_.get().destinationMatrixBatchIndex = 0;
  }
  static std::optional<std::string> refuses(const image::CopyToMatrix&, const Call& call, const Context&) { return refuses_matrix_of(call.inputs[0].dtype); }

  void encode(Encoder& e, std::span<const Operand> o) override {
    MPSMatrix* matrix = matrix_of_pictures(e, o[1], k_.destination_matrix_batch_index);
    each_part(e, o[0], k_.destination_matrix_origin, nullptr, [&](MPSImageBatch* images, MTLOrigin origin) {
      copy_.get().destinationMatrixOrigin = origin;
      [copy_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:images destinationMatrix:matrix];
    });
  }

 private:
  image::CopyToMatrix k_;
  retained<MPSImageCopyToMatrix*> copy_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::CopyToMatrix, Plan)
