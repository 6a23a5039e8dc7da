#pragma once
// All lanes of a register become one, or a few.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <int by, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> turned_by(Vec<T> v, std::index_sequence<i...>) {
  return __builtin_shufflevector(v, v, ((static_cast<int>(i) + by) % lanes<T>)...);
}
// Onto the first `channels` lanes.
template <int channels, class Op, class T, int apart = lanes<T> / 2>
MPSKIT_INLINE Vec<T> fold_lanes(Vec<T> v) {
  if constexpr (apart < channels) return v;
  else return fold_lanes<channels, Op, T, apart / 2>(Op::of(v, turned_by<apart, T>(v, std::make_index_sequence<lanes<T>>{})));
}

}  // namespace mpskit::cpu::MPSKIT_ISA
