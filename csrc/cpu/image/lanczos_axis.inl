#pragma once
// Which source pixels make an output pixel, along one axis. Computed once in the plan, in double precision.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Output i is the sum of weights[k] * source[first + k] over its taps.
struct Axis {
  struct Taps {
    std::int64_t first, count;
    std::size_t weights;
  };
  struct Range {
    std::int64_t begin, end;
    std::int64_t size() const { return end - begin; }
  };
  std::vector<Taps> taps;
  std::vector<float> weights;  // outputs of equal phase share them; zeros behind the last, for loads of whole registers

  std::int64_t size() const { return static_cast<std::int64_t>(taps.size()); }
  const Taps& operator[](std::int64_t i) const { return taps[static_cast<std::size_t>(i)]; }
  const float* weights_of(const Taps& t) const { return weights.data() + t.weights; }
  // The source pixels that these outputs read.
  Range source(Range outputs) const {
    Range out{std::numeric_limits<std::int64_t>::max(), 0};
    for (std::int64_t i = outputs.begin; i < outputs.end; ++i) {
      out.begin = std::min(out.begin, (*this)[i].first);
      out.end = std::max(out.end, (*this)[i].first + (*this)[i].count);
    }
    return out;
  }
  std::int64_t most_taps() const {
    return std::max_element(taps.begin(), taps.end(), [](auto& a, auto& b) { return a.count < b.count; })->count;
  }
  // True when every output is one source pixel, and its neighbour the next.
  bool is_shift() const {
    for (std::int64_t i = 0; i < size(); ++i)
      if ((*this)[i].count != 1 || (*this)[i].first != taps[0].first + i) return false;
    return true;
  }
};

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

// Outputs [begin, begin + count) of `length` pixels fitted to `fitted`.
inline Axis fitted_axis(std::int64_t length, std::int64_t fitted, std::int64_t begin, std::int64_t count) {
  Axis axis;
  LanczosTaps taps(length, static_cast<double>(fitted) / static_cast<double>(length));
  const std::int64_t divisor = std::gcd(length, fitted), period = fitted / divisor, step = length / divisor;
  auto position = [&](std::int64_t i) { return static_cast<double>((2 * (begin + i) + 1) * length) / (2.0 * static_cast<double>(fitted)); };
  for (std::int64_t i = 0; i < count; ++i) {
    if (i >= period && taps.is_inside(position(i - period)) && taps.is_inside(position(i))) {
      Axis::Taps t = axis[i - period];
      t.first += step;
      axis.taps.push_back(t);
    } else {
      taps.find(position(i));
      taps.append_to(axis);
    }
  }
  axis.weights.resize(axis.weights.size() + lanes<float>);
  return axis;
}

// The first `count` outputs under dest = source * scale + translate.
inline Axis moved_axis(std::int64_t length, double scale, double translate, std::int64_t count) {
  Axis axis;
  LanczosTaps taps(length, scale);
  for (std::int64_t i = 0; i < count; ++i) {
    taps.find((static_cast<double>(i) + 0.5 - translate) / scale);
    taps.append_to(axis);
  }
  axis.weights.resize(axis.weights.size() + lanes<float>);
  return axis;
}

}  // namespace mpskit::cpu::MPSKIT_ISA
