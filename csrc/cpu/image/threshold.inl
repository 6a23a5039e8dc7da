#pragma once
#include "cpu/image/tiles.inl"
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/streams.inl"
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
    is_color_ = (channels_ == 4 || (channels_ == 3 && (src.dtype == DType::f32 || isa_shuffles_bytes))) && (src.dtype == DType::f32 || src.dtype == DType::u8);
    is_past_ = is_streamed(dst) && !is_stored_;
    factor_ = unit_of(dst.dtype) / unit_of(src.dtype);
    for (int i = 0; i < 3; ++i) gray_[i] = k.transform[static_cast<std::size_t>(i)];
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t work = window_.width * channels_ * src.layout.element_bytes();
    const bool is_dense = is_stored_ && src.layout.row_bytes() == work && dst.layout.row_bytes() == work;  // its rows are one
    parallel_for(dst.layout.images() * window_.height, (256 << 10) / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
      // Only colour, and the strip of floats, need memory; strips stay in the nearest cache.
      const Scratch memory(static_cast<std::size_t>((channels_ + 2) * (strip + 64)) * sizeof(float));
      for (std::int64_t task = begin, rows = 1; task < end; task += rows) {
        const std::int64_t image = task / window_.height, y = task % window_.height, from_y = y + shift_y_;
        std::byte* to = dst.row<std::byte>(image, window_.y + y) + window_.x * dst.layout.element_bytes();
        const bool is_inside = lie_inside(src.layout, from_y, shift_x_, window_.width);
        const std::byte* from = is_inside ? src.row<const std::byte>(image, from_y) + shift_x_ * channels_ * src.layout.element_bytes() : nullptr;
        if (is_stored_ && from) {
          if (is_dense) rows = std::min({end - task, window_.height - y, src.layout.height() - from_y});
          choose_codes(src.layout.dtype, from, to, rows * window_.width);
          continue;
        }
        rows = 1;
        if (is_color_ && from) {
          choose_grays(src.layout.dtype, from, dst.layout.dtype, to);
          continue;
        }
        for (std::int64_t x = 0; x < window_.width; x += strip) {
          const std::int64_t pixels = std::min(strip, window_.width - x);
          const float* gray = gray_row(src, from ? from + x * channels_ * src.layout.element_bytes() : nullptr, image, from_y, x + shift_x_, pixels, memory.as<float>());
          visit_pixels(dst.layout.dtype, [&](auto q) { choose_values(gray, reinterpret_cast<decltype(q)*>(to) + x, pixels); });
        }
      }
      if (is_past_) end_stream();
    });
  }

 private:
  static constexpr std::int64_t strip = 1024;

  // Gray values as codes of the source, and some floats behind them that may be read; `stored` is null where the row crosses the border.
  const float* gray_row(const View& src, const std::byte* stored, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, float* memory) const {
    if (stored && channels_ == 1 && src.layout.dtype == DType::f32) return reinterpret_cast<const float*>(stored);
    float* const colour = memory + (channels_ == 1 ? 0 : strip + 64);
    if (stored) to_float(src.layout.dtype, stored, pixels * channels_, colour);
    else fetch_row(src, image, y, x, pixels, edge_, colour);
    if (channels_ == 1) return colour;
    for (std::int64_t i = 0; i < pixels; i += lanes<float>) store(memory + i, gray_of(colour + i * channels_));
    return memory;
  }

  // Rows of as many floats as there are channels, turned. A missing third channel is 0. Reads three floats past the pixels.
  MPSKIT_INLINE Vec<float> gray_of(const float* colour) const {
    Vec<float> v[4];
    load_columns(colour, channels_, v);
    const Vec<float> two = v[0] * gray_[0] + v[1] * gray_[1];
    return channels_ == 2 ? two : two + v[2] * gray_[2];
  }

  // Colour of three channels or four, from where it is stored: a register of pixels at a time, of which no element more is read.
  void choose_grays(DType t, const std::byte* from, DType to_type, std::byte* to) const {
    const auto choose = [&]<class S>(const S* colour) {
      visit_pixels(to_type, [&]<class Q>(Q) {
        if (channels_ == 4) choose_grays<4>(colour, reinterpret_cast<Q*>(to));
        else choose_grays<3>(colour, reinterpret_cast<Q*>(to));
      });
    };
    if (t == DType::f32) choose(reinterpret_cast<const float*>(from));
    else choose(reinterpret_cast<const std::uint8_t*>(from));
  }
  template <int channels, class S, class Q>
  void choose_grays(const S* colour, Q* to) const {
    choose_run(to, window_.width, [=, this](std::int64_t x) __attribute__((always_inline)) { return gray_at<channels>(colour + channels * x); },
               [=, this](std::int64_t x, std::int64_t n) {
                 S some[channels * lanes<float>] = {};
                 std::memcpy(some, colour + channels * x, static_cast<std::size_t>(channels * n) * sizeof(S));
                 return gray_at<channels>(some);
               });
  }
  template <int channels>
  MPSKIT_INLINE Vec<float> gray_at(const float* colour) const {
    Vec<float> v[channels];
    if constexpr (channels == 4) load_columns(colour, 4, v);
    else load_triples(colour, v);
    return v[0] * gray_[0] + v[1] * gray_[1] + v[2] * gray_[2];
  }
  template <int channels>
  MPSKIT_INLINE Vec<float> gray_at(const std::uint8_t* colour) const {
    using I = Vec<std::int32_t>;
    I v;
    if constexpr (channels == 4) v = load<I>(colour);
    else v = (I)load_triples(colour);
    auto at = [](I codes) { return __builtin_convertvector(codes & 255, Vec<float>); };
    return at(v) * gray_[0] + at(v >> 8) * gray_[1] + at(v >> 16) * gray_[2];
  }

  template <class Q>
  void choose_values(const float* gray, Q* to, std::int64_t count) const {
    choose_run(to, count, [=](std::int64_t x) { return load<Vec<float>>(gray + x); }, [=](std::int64_t x, std::int64_t n) { return load_pixels(gray + x, n); });
  }
  template <class Q, class At, class Some>
  MPSKIT_INLINE void choose_run(Q* to, std::int64_t count, At at, Some some) const {
    using V = Vec<float>;
    const V threshold = threshold_ - V{}, factor = factor_ - V{}, above = above_ * unit<Q> - V{}, below = below_ * unit<Q> - V{};
    auto value = [=](V v) { return chosen(v > threshold, v * factor, above, below); };
    stream_run(is_past_, to, count, [=](std::int64_t x) __attribute__((always_inline)) { return value(at(x)); },
               [=](std::int64_t x, std::int64_t n) { return value(some(x, n)); });
  }
  template <class V, class Mask>
  static MPSKIT_INLINE V chosen(Mask is_above, V pixel, V above, V below) {
    if constexpr (above_choice == Choice::pixel) return is_above ? pixel : below;
    else if constexpr (below_choice == Choice::pixel) return is_above ? above : pixel;
    else return is_above ? above : below;
  }

  void choose_codes(DType t, const std::byte* from, std::byte* to, std::int64_t count) const {
    if (t == DType::u8) choose_codes(reinterpret_cast<const std::uint8_t*>(from), reinterpret_cast<std::uint8_t*>(to), count);
    else choose_codes(reinterpret_cast<const std::uint16_t*>(from), reinterpret_cast<std::uint16_t*>(to), count);
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
#pragma GCC unroll 4
    for (; x + lanes<P> <= count; x += lanes<P>) {
      const V v = load<V>(from + x);
      ask_ahead(to + x);
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
  bool is_stored_, is_color_, is_past_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
