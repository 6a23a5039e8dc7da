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

// Outputs [begin, begin + count) of `length` pixels fitted to `fitted`. `Taps` finds those around a position and appends them.
template <class Taps>
Axis fitted_axis(std::int64_t length, std::int64_t fitted, std::int64_t begin, std::int64_t count) {
  Axis axis;
  Taps taps(length, static_cast<double>(fitted) / static_cast<double>(length));
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
template <class Taps>
Axis moved_axis(std::int64_t length, double scale, double translate, std::int64_t count) {
  Axis axis;
  Taps taps(length, scale);
  for (std::int64_t i = 0; i < count; ++i) {
    taps.find((static_cast<double>(i) + 0.5 - translate) / scale);
    taps.append_to(axis);
  }
  axis.weights.resize(axis.weights.size() + lanes<float>);
  return axis;
}

}  // namespace mpskit::cpu::MPSKIT_ISA
