#include "kernels/image/integral_of_squares.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::IntegralOfSquares& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageIntegralOfSquares alloc] initWithDevice:context.device()]), context, k), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::IntegralOfSquares, Plan)
