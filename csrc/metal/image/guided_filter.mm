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

  void encode(Encoder& e, std::span<const Operand> o) override {
    // Independent channels go four at a time, all under the same weights.
    e.each_slice(o.first(inputs_), o.subspan(inputs_), [&](const auto& sources, const auto& targets) {
      if (is_regression_) {
        id<MTLTexture> weights = inputs_ > 2 ? sources[2] : nil;
        if (is_joint_)
          [filter_.get() encodeRegressionToCommandBuffer:e.commands()
                                           sourceTexture:sources[0]
                                         guidanceTexture:sources[1]
                                          weightsTexture:weights
                          destinationCoefficientsTexture:targets[0]];
        else
          [filter_.get() encodeRegressionToCommandBuffer:e.commands()
                                           sourceTexture:sources[0]
                                         guidanceTexture:sources[1]
                                          weightsTexture:weights
                         destinationCoefficientsTextureA:targets[0]
                         destinationCoefficientsTextureB:targets[1]];
      } else if (is_joint_) {
        [filter_.get() encodeReconstructionToCommandBuffer:e.commands() guidanceTexture:sources[0] coefficientsTexture:sources[1] destinationTexture:targets[0]];
      } else {
        [filter_.get() encodeReconstructionToCommandBuffer:e.commands()
                                           guidanceTexture:sources[0]
                                      coefficientsTextureA:sources[1]
                                      coefficientsTextureB:sources[2]
                                        destinationTexture:targets[0]];
      }
    });
  }

 private:
  bool is_regression_, is_joint_;
  std::size_t inputs_;
  retained<MPSImageGuidedFilter*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::GuidedFilter, GuidedFilterPlan)
