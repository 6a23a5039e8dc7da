#pragma once
// Numbers as they are stored, and what sums of them are kept in: float16 (as its bits) and float32 in float32, float64 in itself.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class T>
using SumOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

MPSKIT_INLINE Vec<float> load_terms(const float* p) { return load<Vec<float>>(p); }
MPSKIT_INLINE Vec<float> load_terms(const std::uint16_t* p) { return load_half(p); }
MPSKIT_INLINE Vec<double> load_terms(const double* p) { return load<Vec<double>>(p); }
template <class T>
MPSKIT_INLINE SumOf<T> as_sum(T v) {
  if constexpr (std::is_same_v<T, std::uint16_t>) return half_to_float(v);
  else return v;
}
template <class T>
MPSKIT_INLINE void put(T* p, SumOf<T> v) {
  if constexpr (std::is_same_v<T, std::uint16_t>) *p = float_to_half(v);
  else *p = v;
}

}  // namespace mpskit::cpu::MPSKIT_ISA
