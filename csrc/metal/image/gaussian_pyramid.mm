#include "kernels/image/gaussian_pyramid.hpp"

#include "metal/image/pyramid.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::GaussianPyramid& k, const Call&, const Context& context) : filter_(make_pyramid<MPSImageGaussianPyramid>(k, context)) {}
  void encode(Encoder& e, std::span<const Operand> o) override {
    const auto levels = o.subspan(1);
    e.each_slice(o.first(1), levels, [&](const auto& sources, const auto& targets) {
      if (targets.size() == 1) return e.copy(sources[0], targets[0]);
      const Encoder::Scratch texture = scratch_levels(e, levels);
      e.copy(sources[0], texture.level(0));
      id<MTLTexture> all = texture.texture();
      if (![filter_.get() encodeToCommandBuffer:e.commands() inPlaceTexture:&all fallbackCopyAllocator:nil])
        throw DeviceError(cat("GaussianPyramid: ", e.context().info().name, " did not take the texture. Pass device=\"cpu\"."));
      for (std::size_t i = 0; i < targets.size(); ++i) e.copy(texture.level(i), targets[i]);
    });
  }

 private:
  retained<MPSImageGaussianPyramid*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::GaussianPyramid, Plan)
