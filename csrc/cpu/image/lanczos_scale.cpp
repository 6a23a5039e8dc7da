#include "cpu/image/scale_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class LanczosTaps {
 public:
  LanczosTaps(std::int64_t length, double scale) : last_(length - 1), stretch_(std::max(1.0, 1 / scale)) {}

  // Finds the taps around u, a position in source pixels. Beyond the border the edge pixel collects their weights.
  void find(double u) {
    // Farther out every tap is the edge pixel: u may be as far as a double reaches.
    const double reach = 3 * stretch_;
    u = std::clamp(u, -reach - 1, static_cast<double>(last_) + reach + 2);
    const auto begin = static_cast<std::int64_t>(std::floor(u - 0.5 - reach)), end = static_cast<std::int64_t>(std::ceil(u - 0.5 + reach));
    first_ = inside(begin);
    weights_.assign(static_cast<std::size_t>(inside(end) - first_ + 1), 0.0);
    // L(t) = sinc(t) sinc(t/3) is (sin a / a)^2 (1 - 4/3 sin^2 a) with a = pi t / 3: one sine a tap, and that by rotation,
    // begun anew before its error shows.
    const double step = std::numbers::pi / 3 / stretch_, sine_of_step = std::sin(step), cosine_of_step = std::cos(step);
    double sine = 0, cosine = 0;
    for (std::int64_t k = begin; k <= end; ++k) {
      const double a = (static_cast<double>(k) + 0.5 - u) * step;
      if ((k - begin) % 32 == 0) {
        sine = std::sin(a);
        cosine = std::cos(a);
      }
      if (std::abs(static_cast<double>(k) + 0.5 - u) < reach) {
        const double square = sine * sine;
        weights_[static_cast<std::size_t>(inside(k) - first_)] += std::abs(a) < 1e-4 ? 1 - a * a * (5.0 / 3) : square / (a * a) * (1 - square * (4.0 / 3));
      }
      sine = std::exchange(cosine, cosine * cosine_of_step - sine * sine_of_step) * sine_of_step + sine * cosine_of_step;
    }
    // The function's own zeros at the ends: a scale of 1 reads one pixel.
    constexpr double zero = 1e-12;
    while (std::abs(weights_.back()) < zero) weights_.pop_back();
    const auto some = std::find_if(weights_.begin(), weights_.end(), [](double w) { return std::abs(w) >= zero; });
    first_ += some - weights_.begin();
    weights_.erase(weights_.begin(), some);
  }
  void append_to(Axis& axis) const {
    const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    axis.taps.push_back({first_, static_cast<std::int64_t>(weights_.size()), axis.weights.size()});
    for (double w : weights_) axis.weights.push_back(static_cast<float>(w / sum));
  }
  // True when no tap around u is beyond the border.
  bool is_inside(double u) const { return u - 0.5 - 3 * stretch_ >= 0 && u - 0.5 + 3 * stretch_ <= static_cast<double>(last_); }

 private:
  std::int64_t inside(std::int64_t k) const { return std::clamp<std::int64_t>(k, 0, last_); }

  std::int64_t last_;
  double stretch_;
  std::int64_t first_ = 0;
  std::vector<double> weights_;
};

using LanczosScalePlan = ScalePlan<LanczosTaps>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::LanczosScale, LanczosScalePlan)
