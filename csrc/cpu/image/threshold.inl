#pragma once
#include "cpu/image/tiles.inl"
#include "cpu/simd/transpose.inl"
#include "kernels/common/threshold_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// What stands where gray is above the threshold, and what where it is not: the gray value itself, or a number.
enum class Choice { pixel, number };

template <Choice above_choice, Choice below_choice>
class ThresholdPlan : public CpuPlan {
 public:
  ThresholdPlan(const image::ThresholdKernel& k, float above, float below, const Call& call)  // the numbers
      : above_(above), below_(below), edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])),
        shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    channels_ = src.channels();
    // The largest code that is not above: codes are whole, so the comparison is exact.
    const double unit = static_cast<double>(unit_of(src.dtype)), limit = static_cast<double>(k.threshold_value) * unit;
    const bool is_code = channels_ == 1 && unit > 1;
    limit_ = std::clamp(std::floor(limit), -1.0, unit);
    threshold_ = is_code ? static_cast<float>(limit_ + 0.5) : k.threshold_value * (channels_ == 1 ? 1.0f : unit_of(src.dtype));
    is_stored_ = is_code && src.dtype == dst.dtype;
    factor_ = unit_of(dst.dtype) / unit_of(src.dtype);
    for (int i = 0; i < 3; ++i) gray_[i] = k.transform[static_cast<std::size_t>(i)];
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t work = window_.width * channels_ * src.layout.element_bytes();
    parallel_for(dst.layout.images() * window_.height, (256 << 10) / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
      // Only colour, and the strip of floats, need memory; strips stay in the nearest cache.
      const Scratch memory(static_cast<std::size_t>((channels_ + 1) * (strip + 64)) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / window_.height, y = task % window_.height;
        for (std::int64_t x = 0; x < window_.width; x += strip)
          choose(src, dst, image, y, x, std::min(strip, window_.width - x), memory.as<float>());
      }
    });
  }

 private:
  static constexpr std::int64_t strip = 1024;

  void choose(const View& src, const View& dst, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, float* memory) const {
    std::byte* to = dst.row<std::byte>(image, window_.y + y) + (window_.x + x) * dst.layout.element_bytes();
    const std::int64_t from_y = y + shift_y_, from_x = x + shift_x_;
    const bool is_inside = from_y >= 0 && from_y < src.layout.height() && from_x >= 0 && from_x + pixels <= src.layout.width();
    visit_pixels(src.layout.dtype, [&](auto p) {
      using P = decltype(p);
      const P* stored = is_inside ? src.row<const P>(image, from_y) + from_x * channels_ : nullptr;
      if constexpr (std::is_integral_v<P>) {
        if (is_stored_) {
          if (!stored) {
            auto* row = reinterpret_cast<P*>(memory);
            stored_row<P, P>(src, image, from_y, from_x, pixels, edge_, row);
            stored = row;
          }
          return choose_codes(stored, reinterpret_cast<P*>(to), pixels);
        }
      }
      const bool is_gray = channels_ == 1;
      if (!stored) fetch_row(src, image, from_y, from_x, pixels, edge_, memory);
      visit_pixels(dst.layout.dtype, [&](auto q) {
        auto* target = reinterpret_cast<decltype(q)*>(to);
        if (stored && is_gray) return choose_values([=](std::int64_t i) { return load_pixels(stored + i); }, [=](std::int64_t i, std::int64_t n) { return load_pixels(stored + i, n); }, target, pixels);
        if constexpr (std::is_same_v<P, std::uint8_t>) {
          if (stored && channels_ == 4) return choose_values([&](std::int64_t i) { return gray_of_bytes(stored + 4 * i); }, [&](std::int64_t i, std::int64_t n) {
            std::uint8_t some[4 * lanes<float>] = {};
            std::memcpy(some, stored + 4 * i, static_cast<std::size_t>(4 * n));
            return gray_of_bytes(some);
          }, target, pixels);
        }
        if (stored) to_float(std::span(stored, static_cast<std::size_t>(pixels * channels_)), memory);
        const std::int64_t c = channels_;
        auto at = [=, this](std::int64_t i) { return c == 1 ? load<Vec<float>>(memory + i) : gray_of(memory + i * c); };
        choose_values(at, [=](std::int64_t i, std::int64_t) { return at(i); }, target, pixels);
      });
    });
  }

  // Rows of as many floats as there are channels, turned. A missing third channel is 0. Reads three floats past the pixels.
  MPSKIT_INLINE Vec<float> gray_of(const float* colour) const {
    Vec<float> v[4];
    load_columns(colour, channels_, v);
    const Vec<float> two = v[0] * gray_[0] + v[1] * gray_[1];
    return channels_ == 2 ? two : two + v[2] * gray_[2];
  }
  MPSKIT_INLINE Vec<float> gray_of_bytes(const std::uint8_t* colour) const {
    using I = Vec<std::int32_t>;
    const I v = load<I>(colour);
    auto at = [](I codes) { return __builtin_convertvector(codes & 255, Vec<float>); };
    return at(v) * gray_[0] + at(v >> 8) * gray_[1] + at(v >> 16) * gray_[2];
  }

  template <class At, class Some, class Q>
  MPSKIT_INLINE void choose_values(At at, Some some, Q* to, std::int64_t count) const {
    using V = Vec<float>;
    const V threshold = threshold_ - V{}, factor = factor_ - V{}, above = above_ * unit<Q> - V{}, below = below_ * unit<Q> - V{};
    auto value = [=](V gray) { return chosen(gray > threshold, gray * factor, above, below); };
    store_run(to, count, [=](std::int64_t x) { return value(at(x)); }, [=](std::int64_t x, std::int64_t n) { return value(some(x, n)); });
  }
  template <class V, class Mask>
  static MPSKIT_INLINE V chosen(Mask is_above, V pixel, V above, V below) {
    if constexpr (above_choice == Choice::pixel) return is_above ? pixel : below;
    else if constexpr (below_choice == Choice::pixel) return is_above ? above : pixel;
    else return is_above ? above : below;
  }

  template <class P>
  void choose_codes(const P* from, P* to, std::int64_t count) const {
    using V = Vec<P>;
    const auto first_above = static_cast<std::int64_t>(limit_) + 1;
    if (first_above > static_cast<std::int64_t>(unit<P>)) {  // no code is above
      if constexpr (below_choice == Choice::pixel) std::copy_n(from, count, to);
      else std::fill_n(to, count, code<P>(below_));
      return;
    }
    const P first = static_cast<P>(first_above);
    const V least = first - V{}, above = code<P>(above_) - V{}, below = code<P>(below_) - V{};
    std::int64_t x = 0;
    for (; x + lanes<P> <= count; x += lanes<P>) {
      const V v = load<V>(from + x);
      store(to + x, chosen(v >= least, v, above, below));
    }
    if (x == count) return;
    V v{};
    std::memcpy(&v, from + x, static_cast<std::size_t>(count - x) * sizeof(P));
    v = chosen(v >= least, v, above, below);
    std::memcpy(to + x, &v, static_cast<std::size_t>(count - x) * sizeof(P));
  }
  template <class P>
  static P code(float value) {
    return static_cast<P>(std::nearbyint(std::clamp(static_cast<double>(value), 0.0, 1.0) * static_cast<double>(unit<P>)));
  }

  float above_, below_;
  EdgeMode edge_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_, channels_;
  double limit_;
  float threshold_, factor_, gray_[3];
  bool is_stored_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
