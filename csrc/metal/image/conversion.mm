#include "kernels/image/conversion.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

MPSAlphaType to_mps(AlphaType a) {
  return a == AlphaType::non_premultiplied ? MPSAlphaTypeNonPremultiplied : a == AlphaType::premultiplied ? MPSAlphaTypePremultiplied : MPSAlphaTypeAlphaIsOne;
}

class Plan final : public UnaryPlan {
 public:
  Plan(const image::Conversion& k, const Call& call, const Context& context) : UnaryPlan(make(k, call.inputs[0], context), k, call.outputs[0]) {}
  static std::optional<std::string> refuses(const image::Conversion& k, const Call&, const Context&) {
    if (!k.changes_colors()) return std::nullopt;
    return cat("no conversion from ", name_of_enum(k.source_color_space), " to ", name_of_enum(k.destination_color_space),
               " on Metal; allowed there: alpha alone. Pass device=\"cpu\".");
  }

 private:
  static retained<MPSUnaryImageKernel*> make(const image::Conversion& k, const Layout& source, const Context& context) {
    CGFloat background[3] = {static_cast<CGFloat>(k.background_color[0]), static_cast<CGFloat>(k.background_color[1]), static_cast<CGFloat>(k.background_color[2])};
    return made(adopt<MPSUnaryImageKernel*>([[MPSImageConversion alloc] initWithDevice:context.device()
                                                                             srcAlpha:to_mps(k.alpha_of(source))
                                                                            destAlpha:to_mps(k.destination_alpha)
                                                                      backgroundColor:background
                                                                       conversionInfo:nullptr]), context, k);
  }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Conversion, Plan)
