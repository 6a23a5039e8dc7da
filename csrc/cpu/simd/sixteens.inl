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

// Sixteen bytes at p, at p + apart, ... as a register of `bytes`: the widest is not always the fastest, as half of it crosses fewer cache lines and is
// shuffled by two ports instead of one.
template <class T, int bytes>
using VecOf [[gnu::vector_size(bytes)]] = T;
template <class T, int bytes = MPSKIT_VECTOR_BYTES, class Place>
MPSKIT_INLINE VecOf<T, bytes> load_sixteens_of(Place place) {
  using F [[gnu::vector_size(16)]] = std::int64_t;
  using V = VecOf<T, bytes>;
#if MPSKIT_VECTOR_BYTES >= 32  // an insertion from memory is no shuffle
  const auto two = [=](int i) __attribute__((always_inline)) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256((__m128i)load<F>(place(i))), (__m128i)load<F>(place(i + 1)), 1);
  };
  if constexpr (bytes == 32) return (V)two(0);
#endif
#if MPSKIT_VECTOR_BYTES == 64
  using H [[gnu::vector_size(32)]] = std::int64_t;
  if constexpr (bytes == 64) return (V)__builtin_shufflevector((H)two(0), (H)two(2), 0, 1, 2, 3, 4, 5, 6, 7);  // GCC 12 warns of the insertion
#endif
  if constexpr (bytes == 16) return (V)load<F>(place(0));
}
template <class T, int bytes = MPSKIT_VECTOR_BYTES>
MPSKIT_INLINE VecOf<T, bytes> load_sixteens(const void* from, [[maybe_unused]] std::int64_t apart) {
  const auto* p = static_cast<const std::byte*>(from);
  return load_sixteens_of<T, bytes>([=](int i) __attribute__((always_inline)) { return p + i * apart; });
}
// Byte i of each lane from place from(i) of it.
template <std::size_t... i>
MPSKIT_INLINE Vec<std::uint8_t> reorder_sixteens(Vec<std::uint8_t> v, std::index_sequence<i...>, auto from) {
  return __builtin_shufflevector(v, v, (static_cast<int>(i / 16 * 16) + from(static_cast<int>(i % 16)))...);
}
template <int early, std::size_t... i>
MPSKIT_INLINE Vec<std::uint8_t> spread_triples(Vec<std::uint8_t> v, std::index_sequence<i...>) {
  struct From {
    static constexpr int place(int b) { return b / 16 * 16 + (b % 4 < 3 ? b % 16 / 4 * 3 + b % 4 : 0) + (b / 16 == sixteens - 1 ? early : 0); }
  };
  return __builtin_shufflevector(v, v, From::place(static_cast<int>(i))...);
}
// Every three bytes as the first of four, the fourth is any. Reads no byte more: the last lane begins four bytes before its own.
MPSKIT_INLINE Vec<std::uint8_t> load_triples(const std::uint8_t* p) {
  constexpr int early = sixteens > 1 ? 4 : 0;
#if MPSKIT_VECTOR_BYTES == 16
  Vec<std::uint8_t> v{};
  std::memcpy(&v, p, 12);
#else
  const auto v = load_sixteens_of<std::uint8_t>([=](int i) __attribute__((always_inline)) { return p + 12 * i - (i == sixteens - 1 ? early : 0); });
#endif
  return spread_triples<early>(v, std::make_index_sequence<MPSKIT_VECTOR_BYTES>{});
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
template <class T, class V, std::size_t... i>
MPSKIT_INLINE void interleave_sixteens(V a, V b, V& low, V& high, std::index_sequence<i...>) {
  constexpr int n = 16 / sizeof(T), all = sizeof...(i);
  low = __builtin_shufflevector(a, b, (static_cast<int>(i) / n * n + static_cast<int>(i) % n / 2 + static_cast<int>(i) % 2 * all)...);
  high = __builtin_shufflevector(a, b, (static_cast<int>(i) / n * n + n / 2 + static_cast<int>(i) % n / 2 + static_cast<int>(i) % 2 * all)...);
}
// As many registers as a lane has elements of T, turned in each lane: row i and row i + n / 2 interleaved, log2(n) times.
template <class T, class V, int n>
MPSKIT_INLINE void turn_sixteens(V (&a)[n]) {
  static_assert(n == 16 / sizeof(T));
  V b[n];
#pragma GCC unroll 4
  for (int step = n; step > 1; step /= 2) {
    for (int i = 0; i < n / 2; ++i) interleave_sixteens<T>(a[i], a[i + n / 2], b[2 * i], b[2 * i + 1], std::make_index_sequence<sizeof(V) / sizeof(T)>{});
    for (int i = 0; i < n; ++i) a[i] = b[i];
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
