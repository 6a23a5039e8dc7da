#include "kernels/image/histogram_equalization.hpp"

#include "metal/image/histogram.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::HistogramEqualization& k, const Call& call, const Context& context)
      : own_(k, call.inputs[0], context), written_(to_written(image::clip_window(k.clip_rect, call.outputs[0]))) {
    const MPSImageHistogramInfo info = to_mps(k, call.inputs[0].channels());
    filter_ = made(adopt([[MPSImageHistogramEqualization alloc] initWithDevice:context.device() histogramInfo:&info]), context, k);
    set_unary(filter_.get(), k, image::clip_window(k.clip_rect, call.outputs[0]));
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    const Operand* given = o.size() > 2 ? &o[1] : nullptr;
    std::int64_t image = 0;
    e.each_slice(o[0], o.back(), written_, [&](id<MTLTexture> source, id<MTLTexture> target) {
      const PlanarCounts counts = own_.take(e, given, image++, source);
      // The table is the filter's own, and queues run side by side: every use has a filter.
      MPSImageHistogramEqualization* filter = e.keep(adopt([filter_.get() copy]));
      [filter encodeTransformToCommandBuffer:e.commands() sourceTexture:source histogram:counts.buffer() histogramOffset:0];
      [filter encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
    });
  }

 private:
  OwnCounts own_;
  Written written_;
  retained<MPSImageHistogramEqualization*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::HistogramEqualization, Plan)
