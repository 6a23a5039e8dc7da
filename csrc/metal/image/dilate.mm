#include "kernels/image/dilate.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Dilate& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageDilate alloc] initWithDevice:context.device()
                                                            kernelWidth:static_cast<NSUInteger>(k.window().width)
                                                           kernelHeight:static_cast<NSUInteger>(k.window().height)
                                                                 values:k.window().values.data()]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Dilate, Plan)
