#pragma once
// A register of floats as two of doubles.
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <int which>
MPSKIT_INLINE Vec<double> half_of(Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64  // GCC makes two conversions of the plain one, here and below
  constexpr int a = 8 * which;
  return (Vec<double>)_mm512_maskz_cvtps_pd(0xff, (__m256)__builtin_shufflevector(v, v, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<double>)_mm256_cvtps_pd(which ? _mm256_extractf128_ps((__m256)v, 1) : _mm256_castps256_ps128((__m256)v));
#else
  constexpr int a = 2 * which;
  return __builtin_convertvector(__builtin_shufflevector(v, v, a, a + 1), Vec<double>);
#endif
}

// Half a register of floats.
using HalfFloats [[gnu::vector_size(MPSKIT_VECTOR_BYTES / 2)]] = float;
MPSKIT_INLINE HalfFloats narrowed(Vec<double> v) {
#if MPSKIT_VECTOR_BYTES == 64
  return (HalfFloats)_mm512_maskz_cvtpd_ps(0xff, (__m512d)v);
#elif MPSKIT_VECTOR_BYTES == 32
  return (HalfFloats)_mm256_cvtpd_ps((__m256d)v);
#else
  return __builtin_convertvector(v, HalfFloats);
#endif
}

// Half of a register of pixels in memory, where the conversion takes it as it lies.
template <int which, class P>
MPSKIT_INLINE Vec<double> load_half_of(const P* p) {
  if constexpr (std::is_same_v<P, float>) {
#if MPSKIT_VECTOR_BYTES == 64
    return (Vec<double>)_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(p + which * lanes<double>));
#elif MPSKIT_VECTOR_BYTES == 32
    return (Vec<double>)_mm256_cvtps_pd(_mm_loadu_ps(p + which * lanes<double>));
#else
    return __builtin_convertvector(load<HalfFloats>(p + which * lanes<double>), Vec<double>);
#endif
  } else {
    return half_of<which>(load_pixels(p));
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
