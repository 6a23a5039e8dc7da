#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Registers of whole pixels of four elements T: the colours of one with the alpha of another. The mask is a constant, not a register that the callers'
// networks have a use for.
template <class T, class V, std::size_t... i>
MPSKIT_INLINE V with_alpha_of(V colors, V pixels, std::index_sequence<i...>) {
  using Bits = Vec<std::uint32_t>;
  constexpr std::uint32_t upper = sizeof(T) == 1 ? 0xff000000 : sizeof(T) == 2 ? 0xffff0000 : 0xffffffff;
  const Bits mask{(i % sizeof(T) + 1 == sizeof(T) ? upper : 0)...};
  return (V)((mask & (Bits)pixels) | (~mask & (Bits)colors));
}
template <class T, class V>
MPSKIT_INLINE V with_alpha_of(V colors, V pixels) {
  return with_alpha_of<T>(colors, pixels, std::make_index_sequence<lanes<std::uint32_t>>{});
}

}  // namespace mpskit::cpu::MPSKIT_ISA
