#include "cpu/image/histogram_transform.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class HistogramSpecificationPlan final : public HistogramTransformPlan {
 public:
  HistogramSpecificationPlan(const image::HistogramSpecification& k, const Call& call) : HistogramTransformPlan(k, call, 2) {}

 private:
  // Sums have up to 48 bits, their products twice as many.
  __extension__ using Wide = unsigned __int128;

  bool make_table(std::span<const std::uint32_t> source, std::span<const View> views, std::int64_t image, std::int64_t channel, std::span<double> values) const override {
    const std::span desired(row(views[1], image, channel), source.size());
    const Wide all = std::accumulate(source.begin(), source.end(), std::uint64_t{0}), all_desired = std::accumulate(desired.begin(), desired.end(), std::uint64_t{0});
    if (all == 0 || all_desired == 0) return false;
    const auto c = static_cast<std::size_t>(channel);
    const double low = static_cast<double>(info_.min_pixel_value[c]), range = static_cast<double>(info_.max_pixel_value[c]) - low;
    std::size_t j = 0;
    Wide sum = 0, sum_desired = desired[0];
    for (std::size_t b = 0; b < source.size(); ++b) {
      sum += source[b];
      while (j + 1 < desired.size() && sum_desired * all < sum * all_desired) sum_desired += desired[++j];
      values[b] = low + range * static_cast<double>(j) / static_cast<double>(source.size() - 1);
    }
    return true;
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::HistogramSpecification, HistogramSpecificationPlan)
