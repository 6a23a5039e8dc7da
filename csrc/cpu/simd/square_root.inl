#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

MPSKIT_INLINE Vec<float> square_root(Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_maskz_sqrt_ps(0xffff, (__m512)v);  // GCC 12 warns of the plain one
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_sqrt_ps((__m256)v);
#elif defined(__x86_64__)
  return (Vec<float>)_mm_sqrt_ps((__m128)v);
#elif defined(__aarch64__)
  return (Vec<float>)vsqrtq_f32((float32x4_t)v);
#else
  for (int i = 0; i < lanes<float>; ++i) v[i] = std::sqrt(v[i]);
  return v;
#endif
}

}  // namespace mpskit::cpu::MPSKIT_ISA
