#pragma once
// Bytes between bytes, in fixed point: two rows become words of 1/128 codes, a pair of those one product of 16-bit numbers with weights
// of 1/16384. Within a fortieth of a code of the exact value before it is rounded.
#include "cpu/image/bilinear_rows.inl"
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
template <std::size_t... i>
MPSKIT_INLINE Vec<std::int32_t> gather_ones(const CodePairs& p, std::int64_t x, std::index_sequence<i...>) {
  return Vec<std::int32_t>{load<std::int32_t>(p.src + p.first[x + static_cast<int>(i)])...};
}
// Pairs of words in the lanes from x on.
template <int channels, bool are_all>
MPSKIT_INLINE Vec<std::int32_t> word_pairs(const CodePairs& p, std::int64_t x) {
  constexpr std::make_index_sequence<lanes<std::uint16_t>> words;
  if constexpr (channels == 1) {
    if constexpr (are_all) return load<Vec<std::int32_t>>(p.src + 2 * x);
    else return gather_ones(p, x, std::make_index_sequence<lanes<std::int32_t>>{});
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

// `quads`: memory for four bytes an output, for three channels.
inline void weigh_codes(const CodePairs& p, std::int64_t channels, std::uint8_t* quads) {
  switch (channels) {
    case 1: return p.are_all ? weigh_codes<1, true>(p, p.dst) : weigh_codes<1, false>(p, p.dst);
    case 2: return p.are_all ? weigh_codes<2, true>(p, p.dst) : weigh_codes<2, false>(p, p.dst);
    case 4: return p.are_all ? weigh_codes<4, true>(p, p.dst) : weigh_codes<4, false>(p, p.dst);
  }
  weigh_codes<3, false>(p, quads);
  for (std::int64_t i = 0; i < p.outputs; ++i) std::memcpy(p.dst + 3 * i, quads + 4 * i, 4);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
