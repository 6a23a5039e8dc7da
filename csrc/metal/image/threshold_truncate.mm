#include "kernels/image/threshold_truncate.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::ThresholdTruncate& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageThresholdTruncate alloc] initWithDevice:context.device()
                                                         thresholdValue:k.threshold_value
                                               linearGrayColorTransform:k.transform.data()]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::ThresholdTruncate, Plan)
