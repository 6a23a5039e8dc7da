#include "kernels/image/threshold_to_zero_inverse.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::ThresholdToZeroInverse& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageThresholdToZeroInverse alloc] initWithDevice:context.device()
                                                         thresholdValue:k.threshold_value
                                               linearGrayColorTransform:k.transform.data()]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::ThresholdToZeroInverse, Plan)
