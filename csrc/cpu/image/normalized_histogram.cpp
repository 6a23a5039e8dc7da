#include "cpu/image/histogram.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class NormalizedHistogramPlan final : public CpuPlan {
 public:
  NormalizedHistogramPlan(const image::NormalizedHistogram& k, const Call& call)
      : k_(k), counting_(k, image::clip_window(k.clip_rect_source, call.inputs[0]), call.inputs[0]) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1], &minmax = views[2];
    const std::int64_t channels = src.layout.channels(), images = src.layout.images();
    const float unit = unit_of(src.layout.dtype);
    const std::vector<Counting::Extremes> found = counting_.extremes(src);
    std::vector<BinsOfChannels> bins(static_cast<std::size_t>(images));
    for (std::int64_t n = 0; n < images; ++n)
      for (std::int64_t c = 0; c < channels; ++c) {
        const Counting::Extremes& e = found[static_cast<std::size_t>(n * channels + c)];
        const bool is_any = e.least <= e.greatest;
        float* to = minmax.row<float>(n, 0) + c;
        to[0] = is_any ? e.least / unit : std::numeric_limits<float>::quiet_NaN();
        to[channels] = is_any ? e.greatest / unit : std::numeric_limits<float>::quiet_NaN();
        if (is_any && c < counting_.counted()) bins[static_cast<std::size_t>(n)][static_cast<std::size_t>(c)] = range(e, static_cast<std::size_t>(c), unit);
      }
    const Scratch parts = counting_.count(src, [&](std::int64_t n) -> const BinsOfChannels& { return bins[static_cast<std::size_t>(n)]; });
    for (std::int64_t n = 0; n < images; ++n)
      for (std::int64_t c = 0; c < counting_.counted(); ++c) {
        auto* to = dst.row<std::uint32_t>(n, c);
        if (k_.zero_histogram) std::fill_n(to, dst.layout.columns(), 0u);
        counting_.add(counting_.counts(parts, n, c), bins[static_cast<std::size_t>(n)][static_cast<std::size_t>(c)], to);
      }
  }

 private:
  Bins range(const Counting::Extremes& e, std::size_t c, float unit) const {
    const double one = static_cast<double>(unit), low = std::max(static_cast<double>(e.least), static_cast<double>(k_.min_pixel_value[c]) * one);
    const double high = std::min(static_cast<double>(e.greatest), static_cast<double>(k_.max_pixel_value[c]) * one);
    return Bins::of(low, high > low ? high : low + one, -std::numeric_limits<double>::infinity(), k_.number_of_histogram_entries);
  }

  image::NormalizedHistogram k_;
  Counting counting_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::NormalizedHistogram, NormalizedHistogramPlan)
