#include "kernels/image/sobel.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

// A target of one channel makes MPS turn a source of more into gray first, by the color transform: the descriptor's rule.
class Plan final : public UnaryPlan {
 public:
  Plan(const image::Sobel& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageSobel alloc] initWithDevice:context.device()
                                                               linearGrayColorTransform:k.color_transform.data()]),
                       context, k),
                  k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Sobel, Plan)
