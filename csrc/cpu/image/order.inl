#pragma once
// The lower and the upper of two registers of elements. Of a NaN and a number either may come out.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class V>
MPSKIT_INLINE V lower(V a, V b) {
  return a < b ? a : b;
}
template <class V>
MPSKIT_INLINE V upper(V a, V b) {
  return a > b ? a : b;
}
// Compilers do not see one instruction in the comparison and the choice of floats.
template <>
MPSKIT_INLINE Vec<float> lower(Vec<float> a, Vec<float> b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Vec<float>)_mm_min_ps((__m128)a, (__m128)b);
#elif defined(__aarch64__)
  return (Vec<float>)vminq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return a < b ? a : b;
#endif
}
template <>
MPSKIT_INLINE Vec<float> upper(Vec<float> a, Vec<float> b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Vec<float>)_mm_max_ps((__m128)a, (__m128)b);
#elif defined(__aarch64__)
  return (Vec<float>)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return a > b ? a : b;
#endif
}

struct Lower {
  template <class V>
  MPSKIT_INLINE V operator()(V a, V b) const { return lower(a, b); }
};
struct Upper {
  template <class V>
  MPSKIT_INLINE V operator()(V a, V b) const { return upper(a, b); }
};

}  // namespace mpskit::cpu::MPSKIT_ISA
