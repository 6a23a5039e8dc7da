#pragma once
// The lower and the upper of two registers of elements: b where b is NaN; where only a is, either may come out.
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class V>
MPSKIT_INLINE V lower(V a, V b) {
  return a < b ? a : b;
}
template <class V>
MPSKIT_INLINE V upper(V a, V b) {
  return a > b ? a : b;
}
// Compilers do not see one instruction in the comparison and the choice of floats. On ARM that is another one than minimum's, which must not
// return a's NaN.
template <>
MPSKIT_INLINE Vec<float> lower(Vec<float> a, Vec<float> b) {
#if defined(__aarch64__)
  return (Vec<float>)vminq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return minimum(a, b);
#endif
}
template <>
MPSKIT_INLINE Vec<float> upper(Vec<float> a, Vec<float> b) {
#if defined(__aarch64__)
  return (Vec<float>)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return maximum(a, b);
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
