#include "cpu/image/scale_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class BilinearTaps {
 public:
  BilinearTaps(std::int64_t length, double) : last_(length - 1) {}

  // The two pixels around u, a position in source pixels. Beyond the border the edge pixel answers for both.
  void find(double u) {
    const double p = std::clamp(u - 0.5, -1.0, static_cast<double>(last_) + 1), before = std::floor(p);
    first_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(before), 0, last_);
    count_ = p > before && before >= 0 && first_ < last_ ? 2 : 1;  // a pixel of weight 0 is not read
    weight_ = count_ == 2 ? p - before : 0;
  }
  void append_to(Axis& axis) const {
    axis.taps.push_back({first_, count_, axis.weights.size()});
    axis.weights.push_back(static_cast<float>(1 - weight_));
    if (count_ == 2) axis.weights.push_back(static_cast<float>(weight_));
  }
  bool is_inside(double u) const { return u >= 0.5 && u + 0.5 <= static_cast<double>(last_); }

 private:
  std::int64_t last_, first_ = 0, count_ = 1;
  double weight_ = 0;
};
using BilinearScalePlan = ScalePlan<BilinearTaps>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::BilinearScale, BilinearScalePlan)
