#pragma once
// Bytes for bytes, by a table of 256.
#include "cpu/simd/vector.inl"

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

// All by one table.
inline void bytes_by_table(const std::uint8_t* from, std::int64_t count, const std::uint8_t* table, std::uint8_t* to) {
  std::int64_t x = 0;
#if MPSKIT_VECTOR_BYTES >= 32
  const ByteTable parts(table);
  for (; x + 32 <= count; x += 32) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + x), parts[_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + x))]);
#endif
  bytes_by_table<1>(from + x, count - x, table, to + x);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
