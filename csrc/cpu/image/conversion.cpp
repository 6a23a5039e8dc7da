#include "kernels/image/conversion.hpp"

#include "cpu/image/picture_copy.inl"
#include "cpu/image/tiles.inl"
#include "cpu/simd/alpha.inl"
#include "cpu/simd/any.inl"
#include "cpu/simd/byte_table.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/square_root.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;

MPSKIT_INLINE V power(V x, float exponent) { return exp(log(x) * exponent); }
// The curves of sRGB, which Display P3 shares: up to 1 a polynomial of a root, in which the power is nearly straight, 1e-6 of the result;
// beyond it the power, in those lanes only, so that no number depends on its neighbours. NaN stays NaN.
MPSKIT_INLINE V decoded(V v) {
  const V u = multiply_add(v, all(1 / 1.055f), all(0.055f / 1.055f));
  V curve = polynomial(square_root(u), 0x1.d5be6cp-16f, -0x1.28f386p-11f, 0x1.5983c8p-8f, -0x1.01994cp-5f, 0x1.538b98p-3f, 0x1.f1ceap-1f, -0x1.2943c6p-3f, 0x1.4490d6p-5f,
                       -0x1.7e41f8p-8f);
  const Ints beyond = u > 1;
  if (any(beyond)) [[unlikely]] curve = beyond ? power(u, 2.4f) : curve;
  return v <= 0.04045f ? v * (1 / 12.92f) : curve;
}
MPSKIT_INLINE V encoded(V v) {
  V curve = polynomial(square_root(square_root(v)), -0x1.d68ca4p-5f, 0x1.b51dfp-4f, 0x1.9491f8p0f, -0x1.9dd358p0f, 0x1.246838p1f, -0x1.39803cp1f, 0x1.bf3d56p0f, -0x1.758ba8p-1f,
                       0x1.12e38ap-3f);
  const Ints beyond = v > 1;
  if (any(beyond)) [[unlikely]] curve = beyond ? power(v, 1 / 2.4f) * 1.055f - 0.055f : curve;
  return v <= 0.0031308f ? v * 12.92f : curve;
}
MPSKIT_INLINE V power_of_gray(V v, float exponent) {
  const V least = std::numeric_limits<float>::min() - V{};
  const V result = power(v > least ? v : least, exponent);
  return v > least ? result : v != v ? v : V{};
}

// In registers of whole pixels of four: alpha in all places of its pixel.
template <class R, std::size_t... i>
MPSKIT_INLINE R spread_alpha(R pixels, std::index_sequence<i...>) {
  return __builtin_shufflevector(pixels, pixels, static_cast<int>(i | 3)...);
}

// code * alpha / 255, rounded: no product lies in the middle between two.
inline void multiply_bytes(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
  constexpr std::int64_t n = lanes<std::uint16_t>;
  constexpr std::make_index_sequence<n> each{};
  const auto product = [&](Words v) {
    const Words all_255 = std::uint16_t{255} - Words{}, t = v * with_alpha_of<std::uint16_t>(spread_alpha(v, each), all_255) + std::uint16_t{128};
    return (t + (t >> 8)) >> 8;
  };
  std::int64_t x = 0;
  for (; x + 2 * n <= count; x += 2 * n) store_bytes(to + x, product(load_bytes(from + x)), product(load_bytes(from + x + n)));
  if (x == count) return;
  std::uint8_t rest[2 * n] = {};
  std::memcpy(rest, from + x, static_cast<std::size_t>(count - x));
  store_bytes(rest, product(load_bytes(rest)), product(load_bytes(rest + n)));
  std::memcpy(to + x, rest, static_cast<std::size_t>(count - x));
}
// code * 255 / alpha, rounded. Four channels are one 32-bit lane, and a pixel takes one division; products by its result would miss the middle between two codes, so
// they are taken from the nearest half of a code, which leaves nothing there.
inline void divide_bytes(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
  using Pixels = Vec<std::uint32_t>;
  const auto quotients = [](Pixels v) __attribute__((always_inline)) {
    const V alpha = __builtin_convertvector((Ints)(v >> 24), V), one = all(1);
    const Ints is_clear = alpha == 0;
    const V inverse = one / (is_clear ? one : alpha);
    Ints out = (Ints)v & static_cast<std::int32_t>(0xff000000);
#pragma GCC unroll 3
    for (int shift = 0; shift < 24; shift += 8) {
      const V code = __builtin_convertvector((Ints)(v >> shift & 255u), V) * 255, half = code * inverse + 0x1.8p22f - 0x1.8p22f;
      out |= round_to_code(multiply_add(less_product(half, alpha, code), inverse, half), 255) << shift;
    }
    return is_clear ? Ints{} : out;
  };
  constexpr std::int64_t step = MPSKIT_VECTOR_BYTES;
  std::int64_t x = 0;
  for (; x + step <= count; x += step) store(to + x, quotients(load<Pixels>(from + x)));
  if (x == count) return;
  Pixels rest{};
  std::memcpy(&rest, from + x, static_cast<std::size_t>(count - x));
  const Ints last = quotients(rest);
  std::memcpy(to + x, &last, static_cast<std::size_t>(count - x));
}

// The first channel takes the place of the third, which takes its. `to` may be `from`.
template <class T>
void reverse_colors(const T* from, std::int64_t pixels, std::int64_t channels, T* to) {
  std::int64_t x = 0;
  if (channels == 4) {
    constexpr std::int64_t step = lanes<T> / 4;
    for (; x + step <= pixels; x += step) {
      if constexpr (sizeof(T) == 1) {  // of four bytes the baseline makes no shuffle
        const auto v = load<Vec<std::uint32_t>>(from + 4 * x);
        store(to + 4 * x, (v & 0xff00ff00u) | (v >> 16 & 0xffu) | (v & 0xffu) << 16);
      } else {
        const auto v = load<Vec<T>>(from + 4 * x);
        store(to + 4 * x, [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
          return __builtin_shufflevector(v, v, static_cast<int>(i % 2 ? i : i ^ 2)...);
        }(std::make_index_sequence<lanes<T>>{}));
      }
    }
  } else if constexpr (sizeof(T) == 1 && isa_shuffles_bytes) {
    // Four bytes behind the last lane are read and written, as they are.
    for (; x + 4 * sixteens + 2 <= pixels; x += 4 * sixteens) {
      const auto v = reorder_sixteens(load_sixteens<std::uint8_t>(from + 3 * x, 12), std::make_index_sequence<MPSKIT_VECTOR_BYTES>{},
                                      [](int b) constexpr { return b < 12 ? b / 3 * 3 + 2 - b % 3 : b; });
      const auto* bytes = reinterpret_cast<const std::byte*>(&v);
      for (int lane = 0; lane < sixteens; ++lane) std::memcpy(to + 3 * x + 12 * lane, bytes + 16 * lane, 16);
    }
  }
  for (; x < pixels; ++x) {
    const T first = from[channels * x], second = from[channels * x + 1], third = from[channels * x + 2];
    to[channels * x] = third;
    to[channels * x + 1] = second;
    to[channels * x + 2] = first;
    if (channels == 4) to[4 * x + 3] = from[4 * x + 3];
  }
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
      : k_(k), source_(call.inputs[0].dtype), target_(call.outputs[0].dtype), from_(call.inputs[0].channels()), to_(call.outputs[0].channels()),
        window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)), is_past_(is_streamed(call.outputs[0])),
        source_alpha_(k.alpha_of(call.inputs[0])) {
    using enum AlphaType;
    const bool changes = k.changes_colors();
    const auto is_p3 = [](ColorSpace s) { return s == ColorSpace::display_p3 || s == ColorSpace::linear_display_p3; };
    const auto is_curved = [](ColorSpace s) { return s == ColorSpace::srgb || s == ColorSpace::display_p3; };
    decodes_ = changes && is_curved(k.source_color_space);
    encodes_ = changes && is_curved(k.destination_color_space);
    mixes_ = is_p3(k.source_color_space) != is_p3(k.destination_color_space);
    if (mixes_ && is_p3(k.source_color_space)) std::copy_n(p3_to_srgb, 9, matrix_.begin());
    else if (mixes_) matrix_ = inverse(p3_to_srgb);
    flattens_ = source_alpha_ != alpha_is_one && k.destination_alpha == alpha_is_one;
    divides_ = source_alpha_ == premultiplied && !flattens_ && (k.destination_alpha == non_premultiplied || changes);
    multiplies_ = k.destination_alpha == premultiplied && (source_alpha_ == non_premultiplied || divides_);
    saturates_ = !multiplies_ && (target_ == DType::u8 || target_ == DType::u16);
    reverses_ = k.source_channel_order == ChannelOrder::bgra;
    const bool keeps_alpha = from_ < 4 || source_alpha_ != alpha_is_one;
    if (source_ == target_ && from_ == to_ && !changes && !flattens_ && !divides_ && !multiplies_ && keeps_alpha) path_ = Path::elements;
    if (source_ != DType::u8 || path_ == Path::elements) return;
    const bool has_four_bytes = target_ == DType::u8 && from_ == 4 && to_ == 4;
    if (!mixes_ && !flattens_ && !divides_ && !multiplies_) make_tables();
    else if (has_four_bytes && !changes && !flattens_) path_ = divides_ ? Path::divided : Path::multiplied;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    parallel_for(dst.layout.images() * window_.height, (64 << 10) / (window_.width * from_) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / window_.height, y = task % window_.height;
        std::byte* to = dst.row<std::byte>(n, window_.y + y) + window_.x * to_ * dst.layout.element_bytes();
        if (path_ == Path::floats) convert_row(src, n, y, to);
        else if (path_ == Path::elements) move_row(src, n, y, to);
        else convert_bytes(src, n, y, to);
      }
      if (is_past_) end_stream();
    });
  }

 private:
  static constexpr std::int64_t strip = 256;  // pixels; whole registers, and the codes of a byte
  enum class Path { floats, elements, by_table, multiplied, divided };

  // ---- through floats
  void convert_row(const View& src, std::int64_t image, std::int64_t y, std::byte* to) const {
    const float in = 1 / unit_of(source_), out = unit_of(target_);
    alignas(64) float pixels[4 * strip], planes[4 * strip] = {};
    float *r = planes, *g = r + strip, *b = g + strip, *a = b + strip;
    float *first = reverses_ ? b : r, *third = reverses_ ? r : b;  // of a pixel of the source
    for (std::int64_t x = 0; x < window_.width; x += strip) {
      const std::int64_t count = std::min(strip, window_.width - x);
      fetch_row(src, image, y + shift_y_, shift_x_ + x, count, k_.edge_mode, pixels, in);
      if (from_ >= 3) {
        if (from_ == 4) take_apart<float, 4>(pixels, first, g, third, a, count);
        else take_apart<float, 3>(pixels, first, g, third, a, count);
        convert(planes, count);
        if (to_ == 4) put_together<float, 4>(r, g, b, a, pixels, count);
        else put_together<float, 3>(r, g, b, a, pixels, count);
      } else if (k_.changes_colors()) {
        convert_gray(pixels, count);
      }
      stream_floats(is_past_, pixels, target_, to + x * to_ * static_cast<std::int64_t>(size_of(target_)), count * to_, out);
    }
  }
  void convert(float* planes, std::int64_t count) const {
    using enum AlphaType;
    for (std::int64_t x = 0; x < count; x += lanes<float>) {
      V c[3];
      for (int i = 0; i < 3; ++i) c[i] = load<V>(planes + i * strip + x);
      const V one = all(1), zero{};
      V a = source_alpha_ == alpha_is_one ? one : load<V>(planes + 3 * strip + x);
      for (int i = 0; i < 3; ++i) {
        if (flattens_) c[i] = (source_alpha_ == non_premultiplied ? c[i] * a : c[i]) + (one - a) * k_.background_color[static_cast<std::size_t>(i)];
        else if (divides_) c[i] = a == zero ? zero : c[i] / a;
      }
      if (flattens_) a = one;
      if (decodes_)
        for (V& v : c) v = decoded(v);
      if (mixes_) {
        const V mixed[3] = {mix(c, 0), mix(c, 3), mix(c, 6)};
        for (int i = 0; i < 3; ++i) c[i] = mixed[i];
      }
      if (encodes_)
        for (V& v : c) v = encoded(saturates_ ? minimum(one, v) : v);
      for (int i = 0; i < 3; ++i) store(planes + i * strip + x, multiplies_ ? c[i] * a : c[i]);
      store(planes + 3 * strip + x, a);
    }
  }
  MPSKIT_INLINE V mix(const V* c, std::size_t row) const {
    return multiply_add(c[0], all(matrix_[row]), multiply_add(c[1], all(matrix_[row + 1]), c[2] * matrix_[row + 2]));
  }
  void convert_gray(float* gray, std::int64_t count) const {
    const float exponent = k_.source_color_space == ColorSpace::gray_gamma_2_2 ? 2.2f : 1 / 2.2f;
    for (std::int64_t x = 0; x < count; x += lanes<float>) store(gray + x, power_of_gray(load<V>(gray + x), exponent));
  }

  // ---- elements as they are stored
  void move_row(const View& src, std::int64_t image, std::int64_t y, std::byte* to) const {
    if (source_ == DType::u8) move_elements(src, image, y, reinterpret_cast<std::uint8_t*>(to));
    else if (source_ == DType::f32) move_elements(src, image, y, reinterpret_cast<float*>(to));
    else move_elements(src, image, y, reinterpret_cast<std::uint16_t*>(to));
  }
  template <class T>
  void move_elements(const View& src, std::int64_t image, std::int64_t y, T* to) const {
    const std::int64_t from_y = y + shift_y_;
    const bool is_inside = lie_inside(src.layout, from_y, shift_x_, window_.width);
    const T* const row = is_inside ? src.row<const T>(image, from_y) + shift_x_ * from_ : to;
    if (!is_inside) stored_row<T, T>(src, image, from_y, shift_x_, window_.width, k_.edge_mode, to);
    if (!reverses_) {
      if (is_inside) stream_bytes(is_past_, row, to, window_.width * from_ * static_cast<std::int64_t>(sizeof(T)));
    } else if (!is_past_ || !is_inside) {
      reverse_colors(row, window_.width, from_, to);
    } else {
      alignas(64) T memory[4 * strip];
      for (std::int64_t x = 0; x < window_.width; x += strip) {
        const std::int64_t pixels = std::min(strip, window_.width - x);
        reverse_colors(row + x * from_, pixels, from_, memory);
        stream_bytes(true, memory, to + x * from_, pixels * from_ * static_cast<std::int64_t>(sizeof(T)));
      }
    }
  }

  // ---- bytes
  // Where no channel depends on another: what becomes of every code, as an element of the result.
  void make_tables() {
    alignas(64) float planes[4 * strip];
    for (int i = 0; i < 4 * strip; ++i) planes[i] = static_cast<float>(i % strip) / 255;
    if (from_ >= 3) convert(planes, strip);
    else if (k_.changes_colors()) convert_gray(planes, strip);
    const auto bytes = static_cast<std::size_t>(strip) * size_of(target_);
    colors_.resize(bytes);
    alphas_.resize(bytes);
    from_float(planes, target_, colors_.data(), strip, unit_of(target_));
    from_float(planes + 3 * strip, target_, alphas_.data(), strip, unit_of(target_));
    path_ = Path::by_table;
    if (target_ == DType::u8) return;
    if (from_ != to_ || !looks_up_elements()) {
      is_past_ = false;  // one by one they take longer than their lines
      return;
    }
    color_bytes_.reserve(bytes);
    for (std::size_t b = 0; b < size_of(target_); ++b)
      for (std::size_t code = 0; code < 256; ++code) color_bytes_.push_back(std::to_integer<std::uint8_t>(colors_[code * size_of(target_) + b]));
  }
  void convert_bytes(const View& src, std::int64_t image, std::int64_t y, std::byte* to) const {
    const std::int64_t from_y = y + shift_y_, element = static_cast<std::int64_t>(size_of(target_));
    const bool is_inside = lie_inside(src.layout, from_y, shift_x_, window_.width);
    const std::uint8_t* row = is_inside ? src.row<const std::uint8_t>(image, from_y) + shift_x_ * from_ : nullptr;
    std::uint8_t memory[4 * strip];
    alignas(64) std::byte result[4 * strip * sizeof(float)];
    for (std::int64_t x = 0; x < window_.width; x += strip) {
      const std::int64_t pixels = std::min(strip, window_.width - x);
      if (!is_inside) stored_row<std::uint8_t, std::uint8_t>(src, image, from_y, shift_x_ + x, pixels, k_.edge_mode, memory);
      const std::uint8_t* from = is_inside ? row + x * from_ : memory;
      if (reverses_) {
        reverse_colors(from, pixels, from_, memory);
        from = memory;
      }
      std::byte* out = is_past_ ? result : to + x * to_ * element;
      if (path_ == Path::multiplied) multiply_bytes(from, 4 * pixels, reinterpret_cast<std::uint8_t*>(out));
      else if (path_ == Path::divided) divide_bytes(from, 4 * pixels, reinterpret_cast<std::uint8_t*>(out));
      else if (element == 1) exchange_bytes(from, pixels, reinterpret_cast<std::uint8_t*>(out));
      else if (element == 2) exchange(from, pixels, reinterpret_cast<std::uint16_t*>(out));
      else exchange(from, pixels, reinterpret_cast<float*>(out));
      if (is_past_) stream_bytes(true, result, to + x * to_ * element, pixels * to_ * element);
    }
  }
  void exchange_bytes(const std::uint8_t* from, std::int64_t pixels, std::uint8_t* to) const {
    if (from_ != to_) return exchange(from, pixels, to);
    if (k_.changes_colors()) bytes_by_table(from, pixels * from_, reinterpret_cast<const std::uint8_t*>(colors_.data()), to);
    else std::memcpy(to, from, static_cast<std::size_t>(pixels * from_));
    if (from_ < 4) return;  // alpha is not one of the colours
    const std::uint8_t most = source_alpha_ == AlphaType::alpha_is_one ? 255 : 0;
    using Pixels = Vec<std::uint32_t>;
    std::int64_t x = 0;
    for (; x + lanes<std::uint32_t> <= pixels; x += lanes<std::uint32_t>)
      store(to + 4 * x, with_alpha_of<std::uint8_t>(load<Pixels>(to + 4 * x), load<Pixels>(from + 4 * x) | std::uint32_t{most} << 24));
    for (; x < pixels; ++x) to[4 * x + 3] = from[4 * x + 3] | most;
  }
  template <class T>
  void exchange(const std::uint8_t* from, std::int64_t pixels, T* to) const {
    const T *colors = reinterpret_cast<const T*>(colors_.data()), *alphas = reinterpret_cast<const T*>(alphas_.data());
    if (from_ == to_) {
      const std::int64_t count = pixels * from_;
      std::int64_t i = elements_by_table(from, count, color_bytes_.data(), to);
      if (from_ < 4) {
#pragma GCC unroll 8  // one by one it takes twice as long where a cache line ends within the loop
        for (; i < count; ++i) to[i] = colors[from[i]];
        return;
      }
      for (std::int64_t alpha = 3; alpha < i; alpha += 4) to[alpha] = alphas[from[alpha]];
      pixels -= i / 4;
      from += i;
      to += i;
    }
    for (std::int64_t x = 0; x < pixels; ++x, from += from_, to += to_) {
      for (int c = 0; c < 3; ++c) to[c] = colors[from[c]];
      if (to_ == 4) to[3] = alphas[from_ == 4 ? from[3] : 255];
    }
  }

  image::Conversion k_;
  DType source_, target_;
  std::int64_t from_, to_;  // channels
  image::Window window_;
  std::int64_t shift_x_, shift_y_;
  bool is_past_;
  AlphaType source_alpha_;
  bool decodes_, encodes_, mixes_, flattens_, divides_, multiplies_;
  bool saturates_;  // what is above 1 is 1 in the end
  bool reverses_;
  Path path_ = Path::floats;
  std::array<float, 9> matrix_{};
  std::vector<std::byte> colors_, alphas_;
  std::vector<std::uint8_t> color_bytes_;  // the first byte of every colour, the second one of every colour, ...
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Conversion, ConversionPlan)
