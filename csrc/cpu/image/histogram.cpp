#include "cpu/image/histogram.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class HistogramPlan final : public CpuPlan {
 public:
  HistogramPlan(const image::Histogram& k, const Call& call)
      : counting_(k, image::clip_window(k.clip_rect_source, call.inputs[0]), call.inputs[0]),
        bins_(bins_of(k, call.inputs[0], k.min_pixel_threshold_value.data())),
        adds_(!k.zero_histogram) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const Scratch parts = counting_.count(src, [&](std::int64_t) -> const BinsOfChannels& { return bins_; });
    for (std::int64_t n = 0; n < src.layout.images(); ++n)
      for (std::int64_t c = 0; c < counting_.counted(); ++c) {
        auto* to = dst.row<std::uint32_t>(n, c);
        if (!adds_) std::fill_n(to, dst.layout.columns(), 0u);
        counting_.add(counting_.counts(parts, n, c), bins_[static_cast<std::size_t>(c)], to);
      }
  }

 private:
  Counting counting_;
  BinsOfChannels bins_;
  bool adds_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Histogram, HistogramPlan)
