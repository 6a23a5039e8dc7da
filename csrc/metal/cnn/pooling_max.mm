#include "kernels/cnn/pooling_max.hpp"

#include "metal/cnn/image_kernel.hpp"
#include "metal/cnn/node.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryCnnPlan {
 public:
  Plan(const cnn::PoolingMax& k, const Call& call, const Context& context)
      : UnaryCnnPlan(made(adopt([[MPSCNNPoolingMax alloc] initWithDevice:context.device()
                                                              kernelWidth:static_cast<NSUInteger>(k.kernel_width)
                                                             kernelHeight:static_cast<NSUInteger>(k.kernel_height)
                                                          strideInPixelsX:static_cast<NSUInteger>(k.stride_in_pixels_x)
                                                          strideInPixelsY:static_cast<NSUInteger>(k.stride_in_pixels_y)]), context, k).get(),
                     cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], cnn::channels_read(k.info.name, k, call.inputs[0])),
                     k.centre(call.inputs[0], k.taps_y(), k.taps_x()), k.edge_mode) {}

  static GraphNode node(const cnn::PoolingMax& k, const Call& call, NSArray<MPSNNImageNode*>* sources) {
    if (!is_whole(k)) return {};
    auto node = adopt<MPSNNFilterNode*>([[MPSCNNPoolingMaxNode alloc] initWithSource:[sources objectAtIndex:0]
                                                                         kernelWidth:static_cast<NSUInteger>(k.kernel_width)
                                                                        kernelHeight:static_cast<NSUInteger>(k.kernel_height)
                                                                     strideInPixelsX:static_cast<NSUInteger>(k.stride_in_pixels_x)
                                                                     strideInPixelsY:static_cast<NSUInteger>(k.stride_in_pixels_y)]);
    node.get().paddingPolicy = window_padding(call.outputs[0], k.centre(call.inputs[0], k.taps_y(), k.taps_x()), k.edge_mode).get();
    return {std::move(node), nullptr};
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(cnn::PoolingMax, Plan)
