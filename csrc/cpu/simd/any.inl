#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Whether a comparison holds in some lane.
MPSKIT_INLINE bool any(Vec<std::int32_t> mask) {
#if MPSKIT_VECTOR_BYTES == 64
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif MPSKIT_VECTOR_BYTES == 32
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(__x86_64__)
  return _mm_movemask_epi8((__m128i)mask) != 0;
#elif defined(__aarch64__)
  return vmaxvq_u32((uint32x4_t)mask) != 0;
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

// Where a comparison of bytes holds: a bit for each such lane, `bits_of_lane` times its number and at most as many more.
#if defined(__aarch64__)
inline constexpr int bits_of_lane = 4;
#else
inline constexpr int bits_of_lane = 1;
#endif
MPSKIT_INLINE std::uint64_t lanes_of(Vec<std::uint8_t> mask) {
#if MPSKIT_VECTOR_BYTES == 64
  return _mm512_movepi8_mask((__m512i)mask);
#elif MPSKIT_VECTOR_BYTES == 32
  return static_cast<std::uint32_t>(_mm256_movemask_epi8((__m256i)mask));
#elif defined(__x86_64__)
  return static_cast<std::uint32_t>(_mm_movemask_epi8((__m128i)mask));
#elif defined(__aarch64__)
  return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8((uint8x16_t)mask), 4)), 0) & 0x8888888888888888u;
#else
  std::uint64_t all = 0;
  for (int i = 0; i < lanes<std::uint8_t>; ++i) all |= std::uint64_t{mask[i] != 0} << i;
  return all;
#endif
}

}  // namespace mpskit::cpu::MPSKIT_ISA
