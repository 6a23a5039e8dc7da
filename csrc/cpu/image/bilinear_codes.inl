#pragma once
// Bytes between bytes, in fixed point: two rows become words of 1/128 codes, a pair of those one product of 16-bit numbers with weights
// of 1/16384. Within a fortieth of a code of the exact value before it is rounded.
#include "cpu/image/bilinear_rows.inl"
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// to[i] = (a[i] * (1 - weight_b) + b[i] * weight_b) * 128; b may be none.
inline void blend_bytes(const std::uint8_t* a, const std::uint8_t* b, float weight_b, std::int64_t count, std::uint16_t* to) {
  constexpr std::int64_t step = lanes<std::uint16_t>;
  const auto weight = static_cast<std::uint32_t>(std::lround(weight_b * 65536));
  if (weight == 65536) a = b;
  const bool is_one = !b || weight == 0 || weight == 65536;
  const std::uint32_t w = (65536 - weight) * 0x10001u, v = weight * 0x10001u;
  auto row = [&](const std::uint8_t* p, const std::uint8_t* q, std::uint16_t* out) {
    if (is_one) return store(out, load_bytes(p) << 7);
    if (weight == 32768) return store(out, (load_bytes(p) + load_bytes(q)) << 6);
    store(out, multiply_high(load_bytes(p) << 7, broadcast_word(&w)) + multiply_high(load_bytes(q) << 7, broadcast_word(&v)) + 1);  // both were cut
  };
  std::int64_t x = 0;
  for (; x + step <= count; x += step) row(a + x, is_one ? a : b + x, to + x);
  if (x == count) return;
  std::uint8_t p[step] = {}, q[step] = {};
  std::memcpy(p, a + x, static_cast<std::size_t>(count - x));
  if (!is_one) std::memcpy(q, b + x, static_cast<std::size_t>(count - x));
  row(p, q, to + x);
}

// Pairs of neighbours in a row of those words; see PixelPairs. A pixel of three channels takes four lanes of the weights, which hold a
// neighbour's in each half. Reads and writes up to `beyond` too much of each.
struct CodePairs {
  const std::uint16_t* src;
  const std::int64_t* first;
  const std::int32_t* weights;
  std::uint8_t* dst;
  std::int64_t outputs;
  bool are_all;
};

template <std::size_t... i>
MPSKIT_INLINE Words reorder_eights(Words v, std::index_sequence<i...>, auto from) {
  return __builtin_shufflevector(v, v, (static_cast<int>(i / 8 * 8) + from(static_cast<int>(i % 8)))...);
}
#if MPSKIT_VECTOR_BYTES == 64
// Pairs of words, by a shuffle of a register where all lie in one. Sixteen loads one by one take twice as long.
MPSKIT_INLINE Vec<std::int32_t> gather_ones(const CodePairs& p, std::int64_t x) {
  const std::int64_t begin = p.first[x];
  const auto at = (Vec<std::uint32_t>)places_behind(p.first + x);
  if (_mm512_cmpgt_epu32_mask((__m512i)at, _mm512_set1_epi32(lanes<std::uint16_t> - 2)) != 0)
    return (Vec<std::int32_t>)_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xffff, (__m512i)at, p.src + begin, 2);
  return (Vec<std::int32_t>)_mm512_maskz_permutexvar_epi16(0xffffffff, (__m512i)((at | at << 16) + 0x10000), (__m512i)load<Words>(p.src + begin));
}
#else
template <std::size_t... i>
MPSKIT_INLINE Vec<std::int32_t> gather_ones(const CodePairs& p, std::int64_t x, std::index_sequence<i...>) {
  return Vec<std::int32_t>{load<std::int32_t>(p.src + p.first[x + static_cast<int>(i)])...};
}
MPSKIT_INLINE Vec<std::int32_t> gather_ones(const CodePairs& p, std::int64_t x) { return gather_ones(p, x, std::make_index_sequence<lanes<std::int32_t>>{}); }
#endif
// Pairs of words in the lanes from x on.
template <int channels, bool are_all>
MPSKIT_INLINE Vec<std::int32_t> word_pairs(const CodePairs& p, std::int64_t x) {
  constexpr std::make_index_sequence<lanes<std::uint16_t>> words;
  if constexpr (channels == 1) {
    if constexpr (are_all) return load<Vec<std::int32_t>>(p.src + 2 * x);
    return gather_ones(p, x);
  } else if constexpr (channels == 2) {
    Words v;
    if constexpr (are_all) v = load<Words>(p.src + 2 * x);
    else v = (Words)gather_twos(p, x / 2, 0, std::make_index_sequence<lanes<double>>{});
    return (Vec<std::int32_t>)reorder_eights(v, words, [](int i) constexpr { return i / 4 * 4 + i % 2 * 2 + i % 4 / 2; });
  } else {
    constexpr int apart = channels;
    Words v;
    if constexpr (are_all) v = load<Words>(p.src + 2 * x);
    else v = (Words)gather_fours(p, x / 4, 0);
    return (Vec<std::int32_t>)reorder_eights(v, words, [](int i) constexpr { return i / 2 + i % 2 * apart; });
  }
}

template <int channels, bool are_all>
void weigh_codes(const CodePairs& pairs, std::uint8_t* to) {
  const CodePairs p = pairs;  // in registers
  constexpr int n = lanes<std::int32_t>;
  constexpr std::make_index_sequence<lanes<std::uint16_t>> words;
  const std::int64_t end = p.outputs * (channels == 3 ? 4 : channels);
  auto codes = [&](std::int64_t x) {
    const Vec<std::int32_t> half = (1 << 20) - Vec<std::int32_t>{};
    return (Words)(multiply_add(load<Vec<std::int32_t>>(p.weights + x), word_pairs<channels, are_all>(p, x), half) >> 21);
  };
  for (std::int64_t x = 0; x < end; x += 4 * n)
    store_bytes(to + x, every_other<1, 0>(codes(x), codes(x + n), words), every_other<1, 0>(codes(x + 2 * n), codes(x + 3 * n), words));
}

// The same of pairs of pixels of three bytes or four that lie anywhere in two rows, `at` in each: eight bytes are read. Whole blocks of outputs.
inline constexpr std::int64_t far_block = lanes<std::int32_t>;
MPSKIT_INLINE Words load_eights(const std::uint8_t* row, const std::int64_t* at) {
#if MPSKIT_VECTOR_BYTES > 16
  const auto eight = [=](int i) __attribute__((always_inline)) {
    long long v;
    __builtin_memcpy(&v, row + at[i], 8);
    return v;
  };
#endif
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_maskz_cvtepu8_epi16(0xffffffff, _mm256_set_epi64x(eight(3), eight(2), eight(1), eight(0)));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Words)_mm256_cvtepu8_epi16(_mm_set_epi64x(eight(1), eight(0)));
#else
  return load_bytes(row + at[0]);
#endif
}
template <int channels>
void weigh_far_codes(const std::uint8_t* a, const std::uint8_t* b, float weight_b, const std::int64_t* at, const std::int32_t* weights, std::int64_t outputs, std::uint8_t* to) {
  constexpr int n = lanes<std::int32_t>;
  constexpr std::make_index_sequence<lanes<std::uint16_t>> words;
  const auto part = static_cast<std::uint32_t>(std::lround(weight_b * 65536));
  if (part == 65536) a = b;
  const bool is_one = !b || part == 0 || part == 65536, is_half = part == 32768;
  const std::uint32_t w = (65536 - part) * 0x10001u, v = part * 0x10001u;
  const Words of_a = broadcast_word(&w), of_b = broadcast_word(&v);
  const auto codes = [=](std::int64_t x) __attribute__((always_inline)) {
    Words mixed = load_eights(a, at + x / 4);
    if (is_one) mixed = mixed << 7;
    else if (is_half) mixed = (mixed + load_eights(b, at + x / 4)) << 6;
    else mixed = multiply_high(mixed << 7, of_a) + multiply_high(load_eights(b, at + x / 4) << 7, of_b) + 1;  // both were cut
    const auto pairs = (Vec<std::int32_t>)reorder_eights(mixed, words, [](int i) constexpr { return i / 2 + i % 2 * channels; });
    return (Words)(multiply_add(load<Vec<std::int32_t>>(weights + x), pairs, (1 << 20) - Vec<std::int32_t>{}) >> 21);
  };
  for (std::int64_t x = 0; x < 4 * outputs; x += 4 * n)
    store_bytes(to + x, every_other<1, 0>(codes(x), codes(x + n), words), every_other<1, 0>(codes(x + 2 * n), codes(x + 3 * n), words));
}

// Of every four bytes the first three. Reads and writes up to two registers too much.
inline void pack_triples(const std::uint8_t* quads, std::int64_t count, std::uint8_t* to) {
  if constexpr (isa_shuffles_bytes) {
    for (std::int64_t i = 0; i < count; i += 4 * sixteens) store_triples(reinterpret_cast<std::byte*>(to + 3 * i), load<Vec<std::uint8_t>>(quads + 4 * i), false);
  } else {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + 3 * i, quads + 4 * i, 4);
  }
}

// `quads`: memory for four bytes an output, for three channels.
inline void weigh_codes(const CodePairs& p, std::int64_t channels, std::uint8_t* quads) {
  switch (channels) {
    case 1: return p.are_all ? weigh_codes<1, true>(p, p.dst) : weigh_codes<1, false>(p, p.dst);
    case 2: return p.are_all ? weigh_codes<2, true>(p, p.dst) : weigh_codes<2, false>(p, p.dst);
    case 4: return p.are_all ? weigh_codes<4, true>(p, p.dst) : weigh_codes<4, false>(p, p.dst);
  }
  weigh_codes<3, false>(p, quads);
  pack_triples(quads, p.outputs, p.dst);
}

// Halves of both sides: the means of four pixels, a half up as above. The next rows lie `ahead` bytes further and are asked for: hardware is late
// with two streams that begin anew in every row.
// Of pixels of type U, two channels or four: those of neighbours, in every second lane.
template <class U>
MPSKIT_INLINE Words mean_of_pixels(const std::uint8_t* a, const std::uint8_t* b) {
  using Pair = Vec<std::conditional_t<sizeof(U) == 2, std::uint32_t, std::uint64_t>>;
  const auto v = load<Words>(a), w = load<Words>(b);
  auto mean = [](Words sum) { return (sum + (Words)((Pair)sum >> (8 * sizeof(U))) + 2) >> 2; };
  return mean((v & 0xff) + (w & 0xff)) | mean((v >> 8) + (w >> 8)) << 8;
}
MPSKIT_INLINE Words mean_of_bytes(const std::uint8_t* a, const std::uint8_t* b) {
  const auto v = load<Words>(a), w = load<Words>(b);
  return ((v & 0xff) + (v >> 8) + (w & 0xff) + (w >> 8) + 2) >> 2;
}
// Four pixels of three bytes in each lane of 128 bits, which make two; the second half of a lane is any number.
MPSKIT_INLINE Vec<std::uint8_t> mean_of_triples(const std::uint8_t* a, const std::uint8_t* b) {
  constexpr std::make_index_sequence<MPSKIT_VECTOR_BYTES> bytes;
  auto pairs = [&](const std::uint8_t* p) {
    const auto w = (Words)reorder_sixteens(load_sixteens<std::uint8_t>(p, 12), bytes, [](int i) constexpr { return i % 8 < 6 ? i / 8 * 6 + i % 8 / 2 + i % 2 * 3 : 15; });
    return (w & 0xff) + (w >> 8);
  };
  const Words mean = (pairs(a) + pairs(b) + 2) >> 2;
  return reorder_sixteens((Vec<std::uint8_t>)mean, bytes, [](int i) constexpr { return i < 6 ? i / 3 * 8 + i % 3 * 2 : 15; });
}
template <int channels>
void halve_codes(const std::uint8_t* a, const std::uint8_t* b, std::int64_t ahead, std::int64_t outputs, std::uint8_t* to) {
  constexpr std::int64_t step = MPSKIT_VECTOR_BYTES;
  const std::int64_t end = outputs * channels;
  [[maybe_unused]] const auto ask = [=](std::int64_t at) __attribute__((always_inline)) {
    __builtin_prefetch(a + ahead + 2 * at);
    __builtin_prefetch(b + ahead + 2 * at);
  };
  std::int64_t x = 0;
  if constexpr (channels == 1) {
    for (; x + step <= end; x += step) {
      ask(x);
      store_bytes(to + x, mean_of_bytes(a + 2 * x, b + 2 * x), mean_of_bytes(a + 2 * x + step, b + 2 * x + step));
    }
  } else if constexpr (channels == 3) {
    constexpr int parts = sixteens;
    if constexpr (isa_shuffles_bytes)
      for (; x + 6 * parts + 6 <= end; x += 6 * parts) {  // reads four bytes and writes two past its own
        const auto mean = (Vec<std::uint64_t>)mean_of_triples(a + 2 * x, b + 2 * x);
        for (int i = 0; i < parts; ++i) {
          const std::uint64_t six = mean[2 * i];
          std::memcpy(to + x + 6 * i, &six, 8);
        }
      }
  } else {
    using U = std::conditional_t<channels == 2, std::uint16_t, std::uint32_t>;
    for (; x + step <= end; x += step) {
      ask(x);
      const auto u = (Vec<U>)mean_of_pixels<U>(a + 2 * x, b + 2 * x), v = (Vec<U>)mean_of_pixels<U>(a + 2 * x + step, b + 2 * x + step);
      store(to + x, every_other<1, 0>(u, v, std::make_index_sequence<lanes<U>>{}));
    }
  }
  for (; x < end; ++x) {
    const std::int64_t i = x / channels * 2 * channels + x % channels;
    to[x] = static_cast<std::uint8_t>((a[i] + a[i + channels] + b[i] + b[i + channels] + 2) >> 2);
  }
}
inline void halve_codes(const std::uint8_t* a, const std::uint8_t* b, std::int64_t ahead, std::int64_t outputs, std::int64_t channels, std::uint8_t* to) {
  switch (channels) {
    case 1: return halve_codes<1>(a, b, ahead, outputs, to);
    case 2: return halve_codes<2>(a, b, ahead, outputs, to);
    case 3: return halve_codes<3>(a, b, ahead, outputs, to);
    default: return halve_codes<4>(a, b, ahead, outputs, to);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
