#pragma once
// Results that go past the caches. A plain store first fetches the line that it overwrites, and leaves it in a cache; of a result larger than the
// last one nobody will find it there. Past the caches a picture of 33 MB of floats is copied in 3.8 ms instead of 5.1 by one core of a Zen 3, in 2.2
// instead of 3.5 by two; one of 8 MB gains nothing.
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

#if defined(__x86_64__)
inline constexpr bool isa_streams = true;
#else
inline constexpr bool isa_streams = false;
#endif
// Half of what eight cores share of most machines' last cache; asked for its size, a virtual machine tells that of several.
inline constexpr std::int64_t streamed_bytes = 16 << 20;
inline bool is_streamed(std::int64_t bytes) { return isa_streams && bytes >= streamed_bytes; }
inline bool is_streamed(const Layout& dst) { return is_streamed(dst.images() * dst.height() * dst.width() * dst.stride[2]); }

// `p` is aligned to the register.
template <class T, class V>
MPSKIT_INLINE void stream(T* p, V v) {
#if MPSKIT_VECTOR_BYTES == 64
  _mm512_stream_ps((float*)p, (__m512)v);
#elif MPSKIT_VECTOR_BYTES == 32
  _mm256_stream_ps((float*)p, (__m256)v);
#elif defined(__x86_64__)
  _mm_stream_ps((float*)p, (__m128)v);
#else
  store(p, v);
#endif
}
// Behind the last one of a thread, before another may read.
inline void end_stream() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// Asks for the line 1 KB behind `p`, which a plain store will soon want. Stores leave in order: behind one that waits for its line all others wait, also
// those to what lies in the nearest cache, and hardware asks for too few lines ahead. A copy of 1 MB within L2 takes 27 us for 32, the sums of a
// picture of 2 MB as floats 0.36 ms for 0.40 (Sapphire Rapids).
MPSKIT_INLINE void ask_ahead(const void* p) { __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + 1024), 1); }

// Elements of `to` before a cache line begins; none begins where elements lie across lines.
template <class T>
MPSKIT_INLINE std::int64_t before_line(const T* to, std::int64_t count) {
  const auto beyond = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % 64);
  if (beyond % static_cast<std::int64_t>(sizeof(T)) != 0) return count;
  return std::min(count, (64 - beyond) % 64 / static_cast<std::int64_t>(sizeof(T)));
}

// As store_run; whole lines go past the caches when `is_past`.
template <class P, class At, class Some>
MPSKIT_INLINE void stream_run(bool is_past, P* to, std::int64_t count, At at, Some some) {
  if constexpr (std::is_same_v<P, float> && isa_streams) {
    constexpr std::int64_t step = lanes<float>, line = std::max<std::int64_t>(64 / sizeof(float), step);
    if (is_past) {
      const std::int64_t head = before_line(to, count);
      std::int64_t x = 0;
      for (; x < head; x += step) store_pixels(to + x, some(x, std::min(step, head - x)), std::min(step, head - x));
      for (x = head; x + line <= count; x += line)
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < line; i += step) stream(to + x + i, at(x + i));
      for (; x < count; x += step) store_pixels(to + x, some(x, std::min(step, count - x)), std::min(step, count - x));
      return;
    }
  }
  if constexpr (sizeof(P) == sizeof(float))
    store_run(to, count, [=](std::int64_t x) __attribute__((always_inline)) { return ask_ahead(to + x), at(x); }, some);
  else
    store_run(to, count, at, some);
}

// A copy that goes past the caches when `is_past`.
inline void stream_bytes(bool is_past, const void* from, void* to, std::int64_t bytes) {
  const auto* p = static_cast<const std::byte*>(from);
  auto* q = static_cast<std::byte*>(to);
  std::int64_t x = 0;
  if (is_past) {
    using F = Vec<float>;
    constexpr std::int64_t line = 64, step = MPSKIT_VECTOR_BYTES;
    x = before_line(q, bytes);
    std::memcpy(q, p, static_cast<std::size_t>(x));
    for (; x + line <= bytes; x += line)
      for (std::int64_t i = 0; i < line; i += step) stream(q + x + i, load<F>(p + x + i));
  }
  std::memcpy(q + x, p + x, static_cast<std::size_t>(bytes - x));
}

// to[i] = f(from[i]), past the caches.
template <class F>
MPSKIT_INLINE void stream_values(const float* from, std::int64_t count, float* to, F f) {
  stream_run(true, to, count, [=](std::int64_t x) { return f(load<Vec<float>>(from + x)); }, [=](std::int64_t x, std::int64_t n) { return f(load_pixels(from + x, n)); });
}

// As from_float of a row.
inline void stream_floats(bool is_past, const float* src, DType t, std::byte* dst, std::int64_t count, float factor = 1) {
  if (!is_past || t != DType::f32) return from_float(src, t, dst, count, factor);
  stream_values(src, count, reinterpret_cast<float*>(dst), [=](Vec<float> v) { return v * factor; });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
