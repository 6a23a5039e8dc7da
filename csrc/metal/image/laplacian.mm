#include "kernels/image/laplacian.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

retained<MPSUnaryImageKernel*> make(const image::Laplacian& k, const Context& context) {
  auto filter = made(adopt([[MPSImageLaplacian alloc] initWithDevice:context.device()]), context, k);
  filter.get().bias = k.bias;
  return hold<MPSUnaryImageKernel*>(filter.get());
}

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Laplacian& k, const Call& call, const Context& context) : UnaryPlan(make(k, context), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Laplacian, Plan)
