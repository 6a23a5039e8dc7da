#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// The even (odd = 0) or the odd pixels of two registers, of c elements each.
template <int c, int odd, class V, std::size_t... i>
MPSKIT_INLINE V every_other(V a, V b, std::index_sequence<i...>) {
  return __builtin_shufflevector(a, b, ((static_cast<int>(i) / c * 2 + odd) * c + static_cast<int>(i) % c)...);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
