#include "kernels/image/box.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Box& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageBox alloc] initWithDevice:context.device()
                                                         kernelWidth:static_cast<NSUInteger>(k.kernel_width)
                                                        kernelHeight:static_cast<NSUInteger>(k.kernel_height)]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Box, Plan)
