#include "kernels/image/normalized_histogram.hpp"

#include "metal/image/histogram.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const image::NormalizedHistogram& k, const Call& call, const Context& context) : k_(k), rows_(k.counted(call.inputs[0].channels())) {
    const MPSImageHistogramInfo info = to_mps(k, call.inputs[0].channels());
    filter_ = made(adopt([[MPSImageNormalizedHistogram alloc] initWithDevice:context.device() histogramInfo:&info]), context, k);
    filter_.get().zeroHistogram = k.zero_histogram ? YES : NO;
    filter_.get().clipRectSource = to_mtl(image::clip_window(k.clip_rect_source, call.inputs[0]));
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    std::int64_t image = 0;
    e.each_slice(o[0], o[2], Written{}, [&](id<MTLTexture> source, id<MTLTexture> minmax) {
      const PlanarCounts counts(e, rows_, k_.number_of_histogram_entries, [filter_.get() histogramSizeForSourceFormat:source.pixelFormat]);
      if (!k_.zero_histogram) counts.load(e, o[1], image);
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source minmaxTexture:minmax histogram:counts.buffer() histogramOffset:0];
      counts.store(e, o[1], image++);
    });
  }

 private:
  image::NormalizedHistogram k_;
  std::int64_t rows_;
  retained<MPSImageNormalizedHistogram*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::NormalizedHistogram, Plan)
