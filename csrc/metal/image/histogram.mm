#include "kernels/image/histogram.hpp"

#include "metal/image/histogram.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::Histogram& k, const Call& call, const Context& context) : k_(k), rows_(k.counted(call.inputs[0].channels())) {
    const MPSImageHistogramInfo info = to_mps(k, call.inputs[0].channels());
    filter_ = made(adopt([[MPSImageHistogram alloc] initWithDevice:context.device() histogramInfo:&info]), context, k);
    filter_.get().zeroHistogram = k.zero_histogram ? YES : NO;
    filter_.get().clipRectSource = to_mtl(image::clip_window(k.clip_rect_source, call.inputs[0]));
    const auto& least = k.min_pixel_threshold_value;
    filter_.get().minPixelThresholdValue = vector_float4{least[0], least[1], least[2], least[3]};
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_source(o[0], [&](id<MTLTexture> source, std::int64_t image, std::int64_t) {
      const PlanarCounts counts(e, rows_, k_.number_of_histogram_entries, [filter_.get() histogramSizeForSourceFormat:source.pixelFormat]);
      if (!k_.zero_histogram) counts.load(e, o[1], image);
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source histogram:counts.buffer() histogramOffset:0];
      counts.store(e, o[1], image);
    });
  }

 private:
  image::Histogram k_;
  std::int64_t rows_;
  retained<MPSImageHistogram*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Histogram, Plan)
