#include "kernels/image/canny.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

// A target of one channel makes MPS turn a source of more into gray first, by the color transform: the descriptor's rule.
class CannyPlan final : public UnaryPlan {
 public:
  CannyPlan(const image::Canny& k, const Call& call, const Context& context) : UnaryPlan(make(k, context), k, call.outputs[0]) {}

 private:
  static retained<MPSUnaryImageKernel*> make(const image::Canny& k, const Context& context) {
    auto filter = made(adopt([[MPSImageCanny alloc] initWithDevice:context.device() linearToGrayScaleTransform:k.color_transform.data() sigma:k.sigma]), context, k);
    filter.get().lowThreshold = k.low_threshold;
    filter.get().highThreshold = k.high_threshold;
    filter.get().useFastMode = k.use_fast_mode ? YES : NO;
    return hold<MPSUnaryImageKernel*>(filter.get());
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Canny, CannyPlan)
