#pragma once
// Bytes for bytes or for wider elements, by a table of 256.
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Element i by table i % channels.
template <int channels>
void bytes_by_table(const std::uint8_t* from, std::int64_t count, const std::uint8_t* tables, std::uint8_t* to) {
  constexpr int words = channels == 3 ? 3 : 1;
  std::int64_t x = 0;
  for (; x + 8 * words <= count; x += 8 * words) {
    std::uint64_t in[words], out[words] = {};
    std::memcpy(in, from + x, sizeof in);
#pragma GCC unroll 24
    for (int i = 0; i < 8 * words; ++i) out[i / 8] |= std::uint64_t{tables[i % channels * 256 + static_cast<int>(in[i / 8] >> (8 * (i % 8)) & 255)]} << (8 * (i % 8));
    std::memcpy(to + x, out, sizeof out);
  }
  for (int c = 0; x < count; ++x, c = c + 1 < channels ? c + 1 : 0) to[x] = tables[c * 256 + from[x]];
}

#if MPSKIT_VECTOR_BYTES >= 32
// Sixteen shuffles look up a register: each takes the bytes whose upper half is its own, by which all others become 128 or more and
// give 0. Less than half the time of loads one by one.
class ByteTable {
 public:
  explicit ByteTable(const std::uint8_t* table) {
    for (int t = 0; t < 16; ++t) parts_[t] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * t)));
  }
  MPSKIT_INLINE __m256i operator[](__m256i v) const {
    const __m256i above = _mm256_set1_epi8(0x70);
    __m256i out = _mm256_setzero_si256();
#pragma GCC unroll 16
    for (int t = 0; t < 16; ++t)
      out = _mm256_or_si256(out, _mm256_shuffle_epi8(parts_[t], _mm256_adds_epu8(_mm256_xor_si256(v, _mm256_set1_epi8(static_cast<char>(16 * t))), above)));
    return out;
  }

 private:
  __m256i parts_[16];
};
#endif
#if MPSKIT_VECTOR_BYTES == 64
// One instruction looks up half the table, where a machine with AVX-512 has it (VBMI): a twentieth of the time. No target names it here.
class WideByteTable {
 public:
  WideByteTable() = default;
  explicit WideByteTable(const std::uint8_t* table) {
    for (int t = 0; t < 4; ++t) parts_[t] = load<Vec<std::uint8_t>>(table + 64 * t);
  }
  static bool is_available() {
    static const bool has_vbmi = __builtin_cpu_supports("avx512vbmi");
    return has_vbmi;
  }
  MPSKIT_INLINE Vec<std::uint8_t> operator[](Vec<std::uint8_t> v) const {
    Vec<std::uint8_t> low = v, high = v;  // of the index seven bits count
    asm("vpermi2b %2, %1, %0" : "+v"(low) : "v"(parts_[0]), "vm"(parts_[1]));
    asm("vpermi2b %2, %1, %0" : "+v"(high) : "v"(parts_[2]), "vm"(parts_[3]));
    return (Vec<std::uint8_t>)_mm512_mask_blend_epi8(_mm512_movepi8_mask((__m512i)v), (__m512i)low, (__m512i)high);
  }

 private:
  Vec<std::uint8_t> parts_[4];
};
// Elements of two bytes or four: `tables` are of their first bytes, of their second ones and so on.
template <int bytes>
class WideElementTable {
 public:
  explicit WideElementTable(const std::uint8_t* tables) {
    for (int b = 0; b < bytes; ++b) bytes_[b] = WideByteTable(tables + 256 * b);
  }
  MPSKIT_INLINE void look_up(Vec<std::uint8_t> codes, Words (&out)[bytes]) const {
    // Bytes are put side by side within lanes of sixteen, so each lane is given the codes whose elements it will hold.
    using Several = Vec<std::conditional_t<bytes == 2, std::uint64_t, std::uint32_t>>;
    const auto v = (Vec<std::uint8_t>)into_lanes((Several)codes, std::make_index_sequence<bytes == 2 ? 8 : 16>{});
    Vec<std::uint8_t> b[bytes], pairs[bytes];
    for (int i = 0; i < bytes; ++i) b[i] = bytes_[i][v];
    for (int i = 0; i < bytes; i += 2) interleave_sixteens<std::uint8_t>(b[i], b[i + 1], pairs[i], pairs[i + 1], std::make_index_sequence<64>{});
    for (int i = 0; i < 2; ++i)
      if constexpr (bytes == 2) out[i] = (Words)pairs[i];
      else interleave_sixteens<std::uint16_t>((Words)pairs[i], (Words)pairs[i + 2], out[2 * i], out[2 * i + 1], std::make_index_sequence<32>{});
  }

 private:
  template <class V, std::size_t... i>
  static MPSKIT_INLINE V into_lanes(V v, std::index_sequence<i...>) {
    return __builtin_shufflevector(v, v, static_cast<int>(i % bytes * 4 + i / bytes)...);
  }
  WideByteTable bytes_[bytes];
};
#endif

// All by one table.
inline void bytes_by_table(const std::uint8_t* from, std::int64_t count, const std::uint8_t* table, std::uint8_t* to) {
  std::int64_t x = 0;
#if MPSKIT_VECTOR_BYTES == 64
  if (WideByteTable::is_available()) {
    const WideByteTable parts(table);
    for (; x + 64 <= count; x += 64) store(to + x, parts[load<Vec<std::uint8_t>>(from + x)]);
  }
#endif
#if MPSKIT_VECTOR_BYTES >= 32
  const ByteTable parts(table);
  for (; x + 32 <= count; x += 32) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + x), parts[_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + x))]);
#endif
  bytes_by_table<1>(from + x, count - x, table, to + x);
}

// Whether registers look up elements of two bytes or four.
inline bool looks_up_elements() {
#if MPSKIT_VECTOR_BYTES == 64
  return WideByteTable::is_available();
#else
  return false;
#endif
}
// All by one table of elements of two bytes or four, taken apart as WideElementTable wants it; tells how many it looked up.
template <class T>
std::int64_t elements_by_table([[maybe_unused]] const std::uint8_t* from, [[maybe_unused]] std::int64_t count, [[maybe_unused]] const std::uint8_t* tables,
                               [[maybe_unused]] T* to) {
  std::int64_t x = 0;
#if MPSKIT_VECTOR_BYTES == 64
  if constexpr (sizeof(T) > 1) {
    if (!looks_up_elements()) return 0;
    const WideElementTable<sizeof(T)> table(tables);
    for (; x + 64 <= count; x += 64) {
      Words out[sizeof(T)];
      table.look_up(load<Vec<std::uint8_t>>(from + x), out);
      for (std::size_t i = 0; i < sizeof(T); ++i) store(reinterpret_cast<Words*>(to + x) + i, out[i]);
    }
  }
#endif
  return x;
}

}  // namespace mpskit::cpu::MPSKIT_ISA
