#include "kernels/image/convolution.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

retained<MPSUnaryImageKernel*> make(const image::Convolution& k, const Context& context) {
  auto filter = made(adopt([[MPSImageConvolution alloc] initWithDevice:context.device()
                                                          kernelWidth:static_cast<NSUInteger>(k.window().width)
                                                         kernelHeight:static_cast<NSUInteger>(k.window().height)
                                                              weights:k.window().values.data()]), context, k);
  filter.get().bias = k.bias;
  return hold<MPSUnaryImageKernel*>(filter.get());
}

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Convolution& k, const Call& call, const Context& context) : UnaryPlan(make(k, context), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Convolution, Plan)
