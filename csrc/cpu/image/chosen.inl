#pragma once
// Filters whose results are elements of the source.
#include "cpu/image/order.inl"
#include "cpu/image/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// A row of chosen elements to storage: unchanged where the formats are one. `row` has room for as many floats.
template <class T>
void store_chosen(const T* from, DType source, std::byte* to, DType target, std::int64_t count, float* row) {
  const float factor = unit_of(target) / unit_of(source);
  if constexpr (std::is_same_v<T, float>) {
    from_float(from, target, to, count, factor);
  } else if (source == target) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  } else {
    to_float(std::span(from, static_cast<std::size_t>(count)), row);
    from_float(row, target, to, count, factor);
  }
}

// f(T{}) with the type whose order is the format's: codes as they are, halves as floats.
template <class F>
void visit_ordered(DType t, F&& f) {
  if (t == DType::u8) f(std::uint8_t{});
  else if (t == DType::u16) f(std::uint16_t{});
  else f(float{});
}
inline std::int64_t ordered_bytes(DType t) { return t == DType::u8 ? 1 : t == DType::u16 ? 2 : 4; }

}  // namespace mpskit::cpu::MPSKIT_ISA
