#pragma once
// Two rows become one, and pairs of its pixels become pixels. A neighbour of weight 0 is not used, whatever number it is.
#include "cpu/simd/every_other.inl"
#include "cpu/simd/pixels.inl"
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {

MPSKIT_INLINE Vec<float> between(Vec<float> a, Vec<float> b, Vec<float> weight_a, Vec<float> weight_b) {
  const Vec<float> mixed = multiply_add(b, weight_b, a * weight_a);
  return weight_b == Vec<float>{} ? a : mixed;
}

// to[i] = a[i] * weight_a + b[i] * weight_b.
template <class P>
void blend_rows(const std::byte* row_a, const std::byte* row_b, float weight_a, float weight_b, std::int64_t count, float* to) {
  const auto *a = reinterpret_cast<const P*>(row_a), *b = reinterpret_cast<const P*>(row_b);
  constexpr std::int64_t step = lanes<float>;
  const Vec<float> w = weight_a - Vec<float>{}, v = weight_b - Vec<float>{};
  std::int64_t x = 0;
  for (; x + step <= count; x += step) store(to + x, multiply_add(load_pixels(b + x), v, load_pixels(a + x) * w));
  if (x < count) store_pixels(to + x, multiply_add(load_pixels(b + x, count - x), v, load_pixels(a + x, count - x) * w), count - x);
}

// Pairs of neighbours in a row of floats: output i lies between the pixels at src + first[i] and behind it, with its own weights for
// each channel. Reads and writes up to `beyond` elements too much, and as many entries of `first` and of the weights.
struct PixelPairs {
  const float* src;
  const std::int64_t* first;
  const float *weights_a, *weights_b;
  float* dst;
  std::int64_t outputs;
  bool are_all;  // of pixels 0 and 1, 2 and 3, ... of src: nothing is skipped and nothing taken twice
};
inline constexpr std::int64_t beyond = 4 * lanes<float>;

// Outputs 0, 1, 4, 5, ... of a pair each, or from the second on: taking turns in halves of 128 bits puts them in order.
template <int begin, std::size_t... i>
MPSKIT_INLINE Vec<double> gather_pairs(const PixelPairs& p, std::int64_t x, std::index_sequence<i...>) {
  return Vec<double>{load<double>(p.src + p.first[x + begin + static_cast<int>(i / 2 * 4 + i % 2)])...};
}
template <std::size_t... i>
MPSKIT_INLINE Vec<float> join_pairs(Vec<double> u, Vec<double> v, std::index_sequence<i...>, auto odd) {
  constexpr int n = lanes<float>;
  return __builtin_shufflevector((Vec<float>)u, (Vec<float>)v, (static_cast<int>(i % 4 / 2 * n + i / 4 * 4 + i % 2 * 2) + odd)...);
}
#if MPSKIT_VECTOR_BYTES == 64
// How far sixteen places lie behind the first of them: 32 bits tell it, modulo 2^32.
MPSKIT_INLINE __m512i places_behind(const std::int64_t* first) {
  using Half [[gnu::vector_size(32)]] = std::int32_t;
  const auto narrow = [=](int at) __attribute__((always_inline)) {
    return (Half)_mm512_maskz_cvtepi64_epi32(0xff, (__m512i)(load<Vec<std::int64_t>>(first + at) - *first));
  };
  return (__m512i)__builtin_shufflevector(narrow(0), narrow(8), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif
// A register of pixels and one of their neighbours. With AVX-512 by shuffles of two registers where all lie in these: sixteen loads one by one take longer.
MPSKIT_INLINE void take_pairs(const PixelPairs& p, std::int64_t x, Vec<float>& a, Vec<float>& b) {
  constexpr int n = lanes<float>;
#if MPSKIT_VECTOR_BYTES == 64
  const __m512i at = places_behind(p.first + x);
  if (_mm512_cmpgt_epu32_mask(at, _mm512_set1_epi32(2 * n - 2)) == 0) {
    const float* from = p.src + p.first[x];
    const auto low = (__m512)load<Vec<float>>(from), high = (__m512)load<Vec<float>>(from + n);
    a = (Vec<float>)_mm512_permutex2var_ps(low, at, high);
    b = (Vec<float>)_mm512_permutex2var_ps(low, _mm512_add_epi32(at, _mm512_set1_epi32(1)), high);
    return;
  }
#endif
  constexpr std::make_index_sequence<n> floats;
  constexpr std::make_index_sequence<n / 2> twos;
  const Vec<double> u = gather_pairs<0>(p, x, twos), v = gather_pairs<2>(p, x, twos);
  a = join_pairs(u, v, floats, std::integral_constant<int, 0>{});
  b = join_pairs(u, v, floats, std::integral_constant<int, 1>{});
}
template <class Pairs, std::size_t... i>
MPSKIT_INLINE Vec<double> gather_twos(const Pairs& p, std::int64_t x, std::int64_t ahead, std::index_sequence<i...>) {
  return Vec<double>{load<double>(p.src + p.first[x + static_cast<int>(i)] + ahead)...};
}
template <class Pairs>
MPSKIT_INLINE Vec<float> gather_fours(const Pairs& p, std::int64_t x, std::int64_t ahead) {
  auto four = [&](int i) __attribute__((always_inline)) { return load<Four>(p.src + p.first[x + i] + ahead); };
#if MPSKIT_VECTOR_BYTES == 16
  return four(0);
#elif MPSKIT_VECTOR_BYTES == 32
  return __builtin_shufflevector(four(0), four(1), 0, 1, 2, 3, 4, 5, 6, 7);
#else  // masked broadcasts from memory: insertions of registers all wait for the one unit that shuffles
  const auto first = _mm512_castps128_ps512((__m128)four(0)), two = _mm512_mask_broadcast_f32x4(first, 0x00f0, (__m128)four(1));
  return (Vec<float>)_mm512_mask_broadcast_f32x4(_mm512_mask_broadcast_f32x4(two, 0x0f00, (__m128)four(2)), 0xf000, (__m128)four(3));
#endif
}

inline void weigh_pairs(const PixelPairs& pairs, std::int64_t channels) {
  const PixelPairs p = pairs;  // in registers: what is stored could be its members
  constexpr int n = lanes<float>;
  constexpr std::make_index_sequence<n> floats;
  constexpr std::make_index_sequence<n / 2> twos;
  const std::int64_t end = p.outputs * channels;
  auto put = [&](std::int64_t x, Vec<float> a, Vec<float> b) {
    store(p.dst + x, between(a, b, load<Vec<float>>(p.weights_a + x), load<Vec<float>>(p.weights_b + x)));
  };
  if (channels == 1 && p.are_all) {
    for (std::int64_t x = 0; x < end; x += n) {
      const auto u = load<Vec<float>>(p.src + 2 * x), v = load<Vec<float>>(p.src + 2 * x + n);
      put(x, every_other<1, 0>(u, v, floats), every_other<1, 1>(u, v, floats));
    }
  } else if (channels == 1) {
    for (std::int64_t x = 0; x < end; x += n) {
      Vec<float> a, b;
      take_pairs(p, x, a, b);
      put(x, a, b);
    }
  } else if (channels == 2) {
    for (std::int64_t x = 0; x < end; x += n) {
      const Vec<double> a = gather_twos(p, x / 2, 0, twos), b = gather_twos(p, x / 2, 2, twos);
      put(x, (Vec<float>)a, (Vec<float>)b);
    }
  } else if (channels == 4) {
    for (std::int64_t x = 0; x < end; x += n) put(x, gather_fours(p, x / 4, 0), gather_fours(p, x / 4, 4));
  } else if (channels == 3) {
    for (std::int64_t i = 0, x = 0; i < p.outputs; ++i, x += 3) {
      const float* from = p.src + p.first[i];
      const Four a = load<Four>(from), b = load<Four>(from + 3);
      const Four w = load<Four>(p.weights_a + x), v = load<Four>(p.weights_b + x);
      store(p.dst + x, v == Four{} ? a : a * w + b * v);
    }
  } else {
    for (std::int64_t i = 0, x = 0; i < p.outputs; ++i, x += channels)
      for (std::int64_t c = 0; c < channels; c += n) {
        const float* from = p.src + p.first[i] + c;
        put(x + c, load<Vec<float>>(from), load<Vec<float>>(from + channels));  // the next pixel overwrites what is too much
      }
  }
}

// Outputs of four floats, whole registers of them, straight from two rows where their pairs lie far apart.
struct FarPairs {
  const std::byte* src;
  const std::int64_t* first;  // in bytes
};
inline void weigh_far_quads(const std::byte* a, const std::byte* b, float weight_a, float weight_b, const std::int64_t* first, const float* weights_a, const float* weights_b,
                            std::int64_t outputs, float* to) {
  constexpr int n = lanes<float>;
  constexpr std::int64_t pixel = 4 * sizeof(float);
  const Vec<float> w = weight_a - Vec<float>{}, v = weight_b - Vec<float>{};
  const FarPairs above{a, first}, below{b, first};
  const auto mixed = [=](std::int64_t x, std::int64_t ahead) __attribute__((always_inline)) {
    const Vec<float> one = gather_fours(above, x / 4, ahead);
    return b ? multiply_add(gather_fours(below, x / 4, ahead), v, one * w) : one;
  };
  for (std::int64_t x = 0; x < 4 * outputs; x += n)
    store(to + x, between(mixed(x, 0), mixed(x, pixel), load<Vec<float>>(weights_a + x), load<Vec<float>>(weights_b + x)));
}

// Pairs of pixels that lie far apart, beside each other. `last` is the last pixel: it has no neighbour, and is written alone.
// `bytes` of a pair are a number, or a constant where the copy should be a few instructions. The first `inner` pairs have two bytes of the row
// behind them: six are moved as eight, the last of which the next pair replaces.
template <class Bytes>
void pick(const std::byte* row, const std::int64_t* at, std::int64_t pairs, std::int64_t inner, std::int64_t last, Bytes bytes, std::byte* to) {
  std::int64_t i = 0;
  if constexpr (std::is_same_v<Bytes, std::integral_constant<std::int64_t, 2>>) {  // four pairs in one store
    const auto two = [=](std::int64_t k) __attribute__((always_inline)) {
      std::uint16_t v;
      __builtin_memcpy(&v, row + at[k], 2);
      return std::uint64_t{v};
    };
    if constexpr (std::endian::native == std::endian::little)
      for (; i + 4 <= inner; i += 4) {
        const std::uint64_t four = two(i) | two(i + 1) << 16 | two(i + 2) << 32 | two(i + 3) << 48;
        __builtin_memcpy(to + 2 * i, &four, 8);
      }
  }
  if constexpr (std::is_same_v<Bytes, std::integral_constant<std::int64_t, 6>>)
    for (; i < inner; ++i) __builtin_memcpy(to + 6 * i, row + at[i], 8);
  else
    for (; i < inner; ++i) std::memcpy(to + i * bytes, row + at[i], static_cast<std::size_t>(bytes));
  for (; i < pairs; ++i) std::memcpy(to + i * bytes, row + at[i], static_cast<std::size_t>(at[i] == last ? bytes / 2 : bytes));
}
template <std::int64_t... usual>
void pick_pairs(const std::byte* row, const std::int64_t* at, std::int64_t pairs, std::int64_t inner, std::int64_t last, std::int64_t bytes, std::byte* to) {
  const bool is_usual = ((bytes == usual && (pick(row, at, pairs, inner, last, std::integral_constant<std::int64_t, usual>{}, to), true)) || ...);
  if (!is_usual) pick(row, at, pairs, inner, last, bytes, to);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
