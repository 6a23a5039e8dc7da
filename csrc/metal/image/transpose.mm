#include "kernels/image/transpose.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Transpose& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageTranspose alloc] initWithDevice:context.device()]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Transpose, Plan)
