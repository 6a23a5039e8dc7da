#pragma once
// Registers of 16-bit words: bytes widened, and fixed-point products of them.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

using Words = Vec<std::uint16_t>;

// Both as one 32-bit number: most sets broadcast those from memory for nothing.
MPSKIT_INLINE Words broadcast_word(const std::uint32_t* twice) { return (Words)(*twice - Vec<std::uint32_t>{}); }

// (a * b) >> 16.
MPSKIT_INLINE Words multiply_high(Words a, Words b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_mulhi_epu16((__m512i)a, (__m512i)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Words)_mm256_mulhi_epu16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (Words)_mm_mulhi_epu16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  const auto x = (uint16x8_t)a, y = (uint16x8_t)b;
  const uint32x4_t low = vmull_u16(vget_low_u16(x), vget_low_u16(y)), high = vmull_high_u16(x, y);
  return (Words)vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
#else
  for (int i = 0; i < lanes<std::uint16_t>; ++i) a[i] = static_cast<std::uint16_t>(std::uint32_t{a[i]} * b[i] >> 16);
  return a;
#endif
}

// v >> by, where a register of counts is one operation less than a count.
MPSKIT_INLINE Words shifted_down(Words v, int by) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_srlv_epi16((__m512i)v, _mm512_set1_epi16(static_cast<short>(by)));
#else
  return v >> by;
#endif
}
// (a + b + 1) >> 1.
MPSKIT_INLINE Words upper_mean(Words a, Words b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_avg_epu16((__m512i)a, (__m512i)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Words)_mm256_avg_epu16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (Words)_mm_avg_epu16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  return (Words)vrhaddq_u16((uint16x8_t)a, (uint16x8_t)b);
#else
  return (a | b) - ((a ^ b) >> 1);
#endif
}

MPSKIT_INLINE Words load_bytes(const std::uint8_t* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_maskz_cvtepu8_epi16(0xffffffff, _mm256_loadu_si256((const __m256i*)p));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Words)_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i*)p));
#elif defined(__x86_64__)
  return (Words)_mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i*)p), _mm_setzero_si128());
#elif defined(__aarch64__)
  return (Words)vmovl_u8(vld1_u8(p));
#else
  return Words{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]};
#endif
}
// Words of at most 255.
MPSKIT_INLINE Vec<std::uint8_t> bytes_of(Words a, Words b) {
#if MPSKIT_VECTOR_BYTES == 64  // each of the conversions to bytes is two shuffles
  const __m512i eights = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  return (Vec<std::uint8_t>)_mm512_maskz_permutexvar_epi64(0xff, eights, _mm512_packus_epi16((__m512i)a, (__m512i)b));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<std::uint8_t>)_mm256_permute4x64_epi64(_mm256_packus_epi16((__m256i)a, (__m256i)b), 0b11011000);
#elif defined(__x86_64__)
  return (Vec<std::uint8_t>)_mm_packus_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  return (Vec<std::uint8_t>)vcombine_u8(vmovn_u16((uint16x8_t)a), vmovn_u16((uint16x8_t)b));
#else
  Vec<std::uint8_t> v;
  for (int i = 0; i < lanes<std::uint16_t>; ++i) {
    v[i] = static_cast<std::uint8_t>(a[i]);
    v[i + lanes<std::uint16_t>] = static_cast<std::uint8_t>(b[i]);
  }
  return v;
#endif
}
MPSKIT_INLINE void store_bytes(std::uint8_t* p, Words a, Words b) { store(p, bytes_of(a, b)); }

}  // namespace mpskit::cpu::MPSKIT_ISA
