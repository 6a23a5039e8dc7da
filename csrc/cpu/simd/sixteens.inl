#pragma once
// Registers as lanes of 16 bytes, which shuffles do not leave.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

inline constexpr int sixteens = MPSKIT_VECTOR_BYTES / 16;
#if MPSKIT_VECTOR_BYTES > 16 || defined(__aarch64__)
inline constexpr bool isa_shuffles_bytes = true;
#else
inline constexpr bool isa_shuffles_bytes = false;
#endif

// Sixteen bytes at p, at p + apart, ...
template <class T>
MPSKIT_INLINE Vec<T> load_sixteens(const void* from, std::int64_t apart) {
  using F [[gnu::vector_size(16)]] = std::int64_t;
  const auto* p = static_cast<const std::byte*>(from);
#if MPSKIT_VECTOR_BYTES == 16
  static_cast<void>(apart);
  return (Vec<T>)load<F>(p);
#elif MPSKIT_VECTOR_BYTES == 32  // an insertion from memory is no shuffle
  return (Vec<T>)_mm256_inserti128_si256(_mm256_castsi128_si256((__m128i)load<F>(p)), (__m128i)load<F>(p + apart), 1);
#else
  auto two = [&](int i) { return __builtin_shufflevector(load<F>(p + i * apart), load<F>(p + (i + 1) * apart), 0, 1, 2, 3); };
  return (Vec<T>)__builtin_shufflevector(two(0), two(2), 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}
// Byte i of each lane from place from(i) of it.
template <std::size_t... i>
MPSKIT_INLINE Vec<std::uint8_t> reorder_sixteens(Vec<std::uint8_t> v, std::index_sequence<i...>, auto from) {
  return __builtin_shufflevector(v, v, (static_cast<int>(i / 16 * 16) + from(static_cast<int>(i % 16)))...);
}
// Of every four bytes the first three, twelve a lane. Four more are written behind the last lane, unless it is the end.
MPSKIT_INLINE void store_triples(std::byte* to, Vec<std::uint8_t> quads, bool is_end) {
  const auto v = reorder_sixteens(quads, std::make_index_sequence<MPSKIT_VECTOR_BYTES>{}, [](int b) constexpr { return b < 12 ? b / 3 * 4 + b % 3 : 15; });
#if MPSKIT_VECTOR_BYTES == 32
  _mm_storeu_si128((__m128i*)to, _mm256_castsi256_si128((__m256i)v));
  const __m128i high = _mm256_extracti128_si256((__m256i)v, 1);
  if (!is_end) {
    _mm_storeu_si128((__m128i*)(to + 12), high);
  } else {
    _mm_storel_epi64((__m128i*)(to + 12), high);
    const int four = _mm_extract_epi32(high, 2);
    std::memcpy(to + 20, &four, 4);
  }
#else
  const auto* bytes = reinterpret_cast<const std::byte*>(&v);
  for (int lane = 0; lane < sixteens; ++lane)
    if (is_end && lane + 1 == sixteens) std::memcpy(to + 12 * lane, bytes + 16 * lane, 12);
    else std::memcpy(to + 12 * lane, bytes + 16 * lane, 16);
#endif
}
// Elements of the lanes of a and b, turn by turn, the lower half and the upper.
template <class T, std::size_t... i>
MPSKIT_INLINE void interleave_sixteens(Vec<T> a, Vec<T> b, Vec<T>& low, Vec<T>& high, std::index_sequence<i...>) {
  constexpr int n = 16 / sizeof(T), all = lanes<T>;
  low = __builtin_shufflevector(a, b, (static_cast<int>(i) / n * n + static_cast<int>(i) % n / 2 + static_cast<int>(i) % 2 * all)...);
  high = __builtin_shufflevector(a, b, (static_cast<int>(i) / n * n + n / 2 + static_cast<int>(i) % n / 2 + static_cast<int>(i) % 2 * all)...);
}
// As many registers as a lane has elements of T, turned in each lane: row i and row i + n / 2 interleaved, log2(n) times.
template <class T, int n = 16 / sizeof(T)>
MPSKIT_INLINE void turn_sixteens(Vec<T> (&a)[n]) {
  Vec<T> b[n];
#pragma GCC unroll 4
  for (int step = n; step > 1; step /= 2) {
    for (int i = 0; i < n / 2; ++i) interleave_sixteens<T>(a[i], a[i + n / 2], b[2 * i], b[2 * i + 1], std::make_index_sequence<lanes<T>>{});
    for (int i = 0; i < n; ++i) a[i] = b[i];
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
