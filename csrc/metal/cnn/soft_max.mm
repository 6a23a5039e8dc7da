#include "kernels/cnn/soft_max.hpp"

#include "metal/cnn/image_kernel.hpp"
#include "metal/cnn/node.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryCnnPlan {
 public:
  Plan(const cnn::SoftMax& k, const Call& call, const Context& context)
      : UnaryCnnPlan(made(adopt([[MPSCNNSoftMax alloc] initWithDevice:context.device()]), context, k).get(),
                     cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], cnn::channels_read(k.info.name, k, call.inputs[0])),
                     k.offset.value_or(Offset{}), EdgeMode::zero) {}

  static GraphNode node(const cnn::SoftMax& k, const Call&, NSArray<MPSNNImageNode*>* sources) {
    if (!is_whole(k) || k.offset) return {};
    return {hold<MPSNNFilterNode*>([MPSCNNSoftMaxNode nodeWithSource:[sources objectAtIndex:0]]), nullptr};
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(cnn::SoftMax, Plan)
