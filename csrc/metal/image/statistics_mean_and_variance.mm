#include "kernels/image/statistics_mean_and_variance.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::StatisticsMeanAndVariance& k, const Call& call, const Context& context)
      : filter_(made(adopt([[MPSImageStatisticsMeanAndVariance alloc] initWithDevice:context.device()]), context, k)) {
    image::Window results = image::clip_window(k.clip_rect, call.outputs[0]);
    results.width = 2;  // mean and variance
    results.height = 1;
    image::UnaryKernel unary;  // offset and edge mode mean nothing here
    set_unary(filter_.get(), unary, results);
    filter_.get().clipRectSource = to_mtl(k.source_window(call.inputs[0]));
    written_ = to_written(results);
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], written_, [&](id<MTLTexture> source, id<MTLTexture> target) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
    });
  }

 private:
  retained<MPSImageStatisticsMeanAndVariance*> filter_;
  Written written_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::StatisticsMeanAndVariance, Plan)
