#include "cpu/image/histogram_transform.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class HistogramEqualizationPlan final : public HistogramTransformPlan {
 public:
  HistogramEqualizationPlan(const image::HistogramEqualization& k, const Call& call) : HistogramTransformPlan(k, call, 1) {}

 private:
  bool make_table(std::span<const std::uint32_t> source, std::span<const View>, std::int64_t, std::int64_t channel, std::span<double> values) const override {
    const double all = static_cast<double>(std::accumulate(source.begin(), source.end(), std::uint64_t{0}));
    if (all == 0) return false;
    const auto c = static_cast<std::size_t>(channel);
    const double low = static_cast<double>(info_.min_pixel_value[c]), range = static_cast<double>(info_.max_pixel_value[c]) - low;
    std::uint64_t sum = 0;
    for (std::size_t b = 0; b < source.size(); ++b) values[b] = low + range * static_cast<double>(sum += source[b]) / all;
    return true;
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::HistogramEqualization, HistogramEqualizationPlan)
