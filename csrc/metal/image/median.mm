#include "kernels/image/median.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Median& k, const Call& call, const Context& context)
      : UnaryPlan(made(adopt<MPSUnaryImageKernel*>([[MPSImageMedian alloc] initWithDevice:context.device()
                                                                           kernelDiameter:static_cast<NSUInteger>(k.kernel_diameter)]),
                       context, k),
                  k, call.outputs[0]) {}

  static std::optional<std::string> refuses(const image::Median& k, const Call& call, const Context&) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    if (src.dtype != DType::u8 || dst.dtype != DType::u8)
      return cat("image is ", src.describe(), ", out is ", dst.describe(), "; allowed there: uint8, as MPSImageMedian takes 8 bits a channel. Pass device=\"cpu\".");
    if (src.channels() > 4)
      return cat("image has ", counted(src.channels(), "channel"), "; allowed there: 4, as MPSImageMedian copies the fourth of each texture. Split them, or pass device=\"cpu\".");
    const auto most = static_cast<std::int64_t>([MPSImageMedian maxKernelDiameter]), least = static_cast<std::int64_t>([MPSImageMedian minKernelDiameter]);
    if (k.kernel_diameter < least || k.kernel_diameter > most)
      return cat("kernel_diameter is ", k.kernel_diameter, "; allowed there: ", least, " to ", most, ". Pass device=\"cpu\".");
    return std::nullopt;
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Median, Plan)
