#include "kernels/image/euclidean_distance_transform.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class DistanceTransformPlan final : public UnaryPlan {
 public:
  DistanceTransformPlan(const image::EuclideanDistanceTransform& k, const Call& call, const Context& context) : UnaryPlan(make(k, context), k, call.outputs[0]) {}

 private:
  static retained<MPSUnaryImageKernel*> make(const image::EuclideanDistanceTransform& k, const Context& context) {
    auto filter = made(adopt([[MPSImageEuclideanDistanceTransform alloc] initWithDevice:context.device()]), context, k);
    filter.get().searchLimitRadius = k.search_limit_radius;
    return hold<MPSUnaryImageKernel*>(filter.get());
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::EuclideanDistanceTransform, DistanceTransformPlan)
