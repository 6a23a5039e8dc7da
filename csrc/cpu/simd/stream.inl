#pragma once
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Results of at least so many bytes, with what they come from, are in no cache when the last of them is there.
inline constexpr std::int64_t streamed_bytes = 16 << 20;

// A whole register to an aligned place in memory, past the caches where the machine can.
MPSKIT_INLINE void store_past_caches(float* p, Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64
  _mm512_stream_ps(p, (__m512)v);
#elif MPSKIT_VECTOR_BYTES == 32
  _mm256_stream_ps(p, (__m256)v);
#elif defined(__x86_64__)
  _mm_stream_ps(p, (__m128)v);
#else
  store(p, v);
#endif
}
// Before another thread may read what was stored so.
inline void finish_streams() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// to[i] = f(from[i]). Whole lines are not read from memory before they are written: a third less goes over the bus.
template <class F>
MPSKIT_INLINE void stream(const float* from, std::int64_t n, float* to, F&& f) {
  constexpr std::int64_t line = 64 / sizeof(float), step = lanes<float>;
  std::int64_t i = 0;
  auto some = [&](std::int64_t end) __attribute__((always_inline)) {
    while (i < end) {
      const std::int64_t count = std::min(step, end - i);
      store_pixels(to + i, f(load_pixels(from + i, count)), count);
      i += count;
    }
  };
  some(std::min(n, static_cast<std::int64_t>((0 - reinterpret_cast<std::uintptr_t>(to) / sizeof(float)) % line)));
  for (; i + line <= n; i += line)
    for (std::int64_t j = i; j < i + line; j += step) store_past_caches(to + j, f(load<Vec<float>>(from + j)));
  some(n);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
