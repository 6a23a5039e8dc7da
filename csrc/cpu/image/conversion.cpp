#include "cpu/image/fetch.inl"
#include "cpu/image/picture_copy.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;

MPSKIT_INLINE V power(V x, float exponent) { return exp(log(x) * exponent); }
// The curves of sRGB, which Display P3 shares. A power is taken of what lies on its part of the curve, so no logarithm is of a negative number; NaN is.
MPSKIT_INLINE V decoded(V v) {
  const V least = 0.04045f - V{}, on_curve = v <= least ? least : v;
  return v <= least ? v * (1 / 12.92f) : power((on_curve + 0.055f) * (1 / 1.055f), 2.4f);
}
MPSKIT_INLINE V encoded(V v) {
  const V least = 0.0031308f - V{}, on_curve = v <= least ? least : v;
  return v <= least ? v * 12.92f : power(on_curve, 1 / 2.4f) * 1.055f - 0.055f;
}
MPSKIT_INLINE V power_of_gray(V v, float exponent) {
  const V least = std::numeric_limits<float>::min() - V{};
  const V result = power(v > least ? v : least, exponent);
  return v > least ? result : v != v ? v : V{};
}

// Linear light of Display P3 to that of sRGB, both with white D65; from the primaries of the two.
constexpr double p3_to_srgb[9] = {1.2249401763, -0.2249401763, 0.0, -0.0420569547, 1.0420569547, 0.0, -0.0196375546, -0.0786360456, 1.0982736001};

std::array<float, 9> inverse(const double* m) {
  std::array<float, 9> out;
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {  // the cofactor of (j, i); indices that go round need no sign
      const int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
      out[static_cast<std::size_t>(3 * i + j)] = static_cast<float>((m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c]) / determinant);
    }
  return out;
}

class ConversionPlan final : public CpuPlan {
 public:
  ConversionPlan(const image::Conversion& k, const Call& call)
      : k_(k), window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)), source_alpha_(k.alpha_of(call.inputs[0])) {
    const auto is_p3 = [](ColorSpace s) { return s == ColorSpace::display_p3 || s == ColorSpace::linear_display_p3; };
    const auto is_curved = [](ColorSpace s) { return s == ColorSpace::srgb || s == ColorSpace::display_p3; };
    decodes_ = k.changes_colors() && is_curved(k.source_color_space);
    encodes_ = k.changes_colors() && is_curved(k.destination_color_space);
    mixes_ = is_p3(k.source_color_space) != is_p3(k.destination_color_space);
    if (!mixes_) return;
    if (is_p3(k.source_color_space)) std::copy_n(p3_to_srgb, 9, matrix_.begin());
    else matrix_ = inverse(p3_to_srgb);
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t from = src.layout.channels(), to = dst.layout.channels(), element = dst.layout.element_bytes();
    const float in = 1 / unit_of(src.layout.dtype), out = unit_of(dst.layout.dtype);
    parallel_for(dst.layout.images() * window_.height, (64 << 10) / (window_.width * from) + 1, [&](std::int64_t begin, std::int64_t end) {
      alignas(64) float pixels[4 * strip], planes[4 * strip] = {};
      float *r = planes, *g = r + strip, *b = g + strip, *a = b + strip;
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / window_.height, y = task % window_.height;
        for (std::int64_t x = 0; x < window_.width; x += strip) {
          const std::int64_t count = std::min(strip, window_.width - x);
          fetch_row(src, n, y + shift_y_, shift_x_ + x, count, k_.edge_mode, pixels, in);
          if (from >= 3) {
            if (from == 4) take_apart<float, 4>(pixels, r, g, b, a, count);
            else take_apart<float, 3>(pixels, r, g, b, a, count);
            convert(planes, count);
            if (to == 4) put_together<float, 4>(r, g, b, a, pixels, count);
            else put_together<float, 3>(r, g, b, a, pixels, count);
          } else if (k_.changes_colors()) {
            convert_gray(pixels, count);
          }
          from_float(pixels, dst.layout.dtype, dst.row<std::byte>(n, window_.y + y) + (window_.x + x) * to * element, count * to, out);
        }
      }
    });
  }

 private:
  static constexpr std::int64_t strip = 256;  // pixels; whole registers

  void convert(float* planes, std::int64_t count) const {
    using enum AlphaType;
    const AlphaType from = source_alpha_, to = k_.destination_alpha;
    const bool changes = k_.changes_colors(), flattens = from != alpha_is_one && to == alpha_is_one;
    const bool divides = from == premultiplied && !flattens && (to == non_premultiplied || changes);
    const bool multiplies = to == premultiplied && (from == non_premultiplied || divides);
    for (std::int64_t x = 0; x < count; x += lanes<float>) {
      V c[3];
      for (int i = 0; i < 3; ++i) c[i] = load<V>(planes + i * strip + x);
      const V one = 1 - V{}, zero{};
      V a = from == alpha_is_one ? one : load<V>(planes + 3 * strip + x);
      for (int i = 0; i < 3; ++i) {
        if (flattens) c[i] = (from == non_premultiplied ? c[i] * a : c[i]) + (one - a) * k_.background_color[static_cast<std::size_t>(i)];
        else if (divides) c[i] = a == zero ? zero : c[i] / a;
      }
      if (flattens) a = one;
      if (decodes_)
        for (V& v : c) v = decoded(v);
      if (mixes_) {
        const V mixed[3] = {mix(c, 0), mix(c, 3), mix(c, 6)};
        for (int i = 0; i < 3; ++i) c[i] = mixed[i];
      }
      if (encodes_)
        for (V& v : c) v = encoded(v);
      for (int i = 0; i < 3; ++i) store(planes + i * strip + x, multiplies ? c[i] * a : c[i]);
      store(planes + 3 * strip + x, a);
    }
  }
  MPSKIT_INLINE V mix(const V* c, std::size_t row) const { return c[0] * matrix_[row] + c[1] * matrix_[row + 1] + c[2] * matrix_[row + 2]; }
  void convert_gray(float* gray, std::int64_t count) const {
    const float exponent = k_.source_color_space == ColorSpace::gray_gamma_2_2 ? 2.2f : 1 / 2.2f;
    for (std::int64_t x = 0; x < count; x += lanes<float>) store(gray + x, power_of_gray(load<V>(gray + x), exponent));
  }

  image::Conversion k_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_;
  AlphaType source_alpha_;
  bool decodes_, encodes_, mixes_;
  std::array<float, 9> matrix_{};
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Conversion, ConversionPlan)
