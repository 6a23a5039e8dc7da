#include "kernels/image/guided_filter.hpp"

#include "metal/kernel.hpp"

namespace mpskit::metal {
namespace {

// Image by image: none of the encodes knows batches.
class GuidedFilterPlan final : public MetalPlan {
 public:
  GuidedFilterPlan(const image::GuidedFilter& k, const Call& call, const Context& context)
      : is_regression_(k.is_regression()), is_joint_(!k.independent_channels), inputs_(call.inputs.size()),
        filter_(made(adopt([[MPSImageGuidedFilter alloc] initWithDevice:context.device() kernelDiameter:static_cast<NSUInteger>(k.kernel_diameter)]), context, k)) {
    filter_.get().epsilon = k.epsilon;
    filter_.get().reconstructScale = k.reconstruct_scale;
    filter_.get().reconstructOffset = k.reconstruct_offset;
  }

  static std::optional<std::string> refuses(const image::GuidedFilter&, const Call& call, const Context&) {
    for (const Layout& l : call.inputs)
      if (l.channels() > 4) return cat("a picture has ", l.channels(), " channels; allowed there: 4. Split them, or pass device=\"cpu\".");
    return std::nullopt;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    for (std::int64_t n = 0; n < o[0].layout.images(); ++n) {
      const auto source = [&](std::size_t i) { return texture(e, o[i], n, nullptr); };
      const auto target = [&](std::size_t i) { return texture(e, o[inputs_ + i], n, &everything_); };
      if (is_regression_) {
        id<MTLTexture> image = source(0), guidance = source(1), weights = inputs_ > 2 ? source(2) : nil;
        if (is_joint_)
          [filter_.get() encodeRegressionToCommandBuffer:e.commands()
                                           sourceTexture:image
                                         guidanceTexture:guidance
                                          weightsTexture:weights
                          destinationCoefficientsTexture:target(0)];
        else
          [filter_.get() encodeRegressionToCommandBuffer:e.commands()
                                           sourceTexture:image
                                         guidanceTexture:guidance
                                          weightsTexture:weights
                         destinationCoefficientsTextureA:target(0)
                         destinationCoefficientsTextureB:target(1)];
      } else if (is_joint_) {
        [filter_.get() encodeReconstructionToCommandBuffer:e.commands() guidanceTexture:source(0) coefficientsTexture:source(1) destinationTexture:target(0)];
      } else {
        [filter_.get() encodeReconstructionToCommandBuffer:e.commands()
                                           guidanceTexture:source(0)
                                      coefficientsTextureA:source(1)
                                      coefficientsTextureB:source(2)
                                        destinationTexture:target(0)];
      }
      e.finish();
    }
  }

 private:
  // One picture of an operand. Those of a temporary batch lie in one texture, of which it is a slice.
  static id<MTLTexture> texture(Encoder& e, const Operand& o, std::int64_t n, const Written* written) {
    id<MTLTexture> all = static_cast<MPSImage*>([e.batch(o, {n, 1}, written) objectAtIndex:0]).texture;
    if (all.textureType == MTLTextureType2D) return all;
    return e.keep(adopt([all newTextureViewWithPixelFormat:all.pixelFormat
                                               textureType:MTLTextureType2D
                                                    levels:NSMakeRange(0, 1)
                                                    slices:NSMakeRange(static_cast<NSUInteger>(n), 1)]));
  }

  bool is_regression_, is_joint_;
  std::size_t inputs_;
  Written everything_;
  retained<MPSImageGuidedFilter*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::GuidedFilter, GuidedFilterPlan)
