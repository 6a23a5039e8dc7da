#pragma once
// The registers of one instruction set: what every CPU kernel is written with. Plain vector types where operators do, one
// intrinsic where they do not. Included behind cpu/kernel.hpp, inside the target pragma.
namespace mpskit::cpu::MPSKIT_ISA {

#define MPSKIT_INLINE inline __attribute__((always_inline))

template <class T>
using Vec [[gnu::vector_size(MPSKIT_VECTOR_BYTES)]] = T;
template <class T>
inline constexpr int lanes = MPSKIT_VECTOR_BYTES / static_cast<int>(sizeof(T));
inline constexpr bool has_32_registers = MPSKIT_VECTOR_BYTES == 64  // and else 16
#if defined(__aarch64__)
                                         || true
#endif
    ;

#if MPSKIT_VECTOR_BYTES == 64
MPSKIT_INLINE __mmask16 first_lanes(std::int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
#endif

template <class V, class T>
MPSKIT_INLINE V load(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
MPSKIT_INLINE void store(T* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// One rounding where the ISA has it. Spelled out: compilers differ in when they contract a * b + c.
MPSKIT_INLINE Vec<float> multiply_add(Vec<float> a, Vec<float> b, Vec<float> c) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
// c - a * b, rounded as multiply_add is. To negate a factor takes a register, and those of a tile are all in use.
MPSKIT_INLINE Vec<float> less_product(Vec<float> a, Vec<float> b, Vec<float> c) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vec<float>)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return c - a * b;
#endif
}
MPSKIT_INLINE Vec<double> multiply_add(Vec<double> a, Vec<double> b, Vec<double> c) { return a * b + c; }  // exact integers
// Pairs of int16: a0 * b0 + a1 * b1 in int32.
MPSKIT_INLINE Vec<std::int32_t> multiply_add(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c) {
#if MPSKIT_VECTOR_BYTES == 64
  return c + (Vec<std::int32_t>)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return c + (Vec<std::int32_t>)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return c + (Vec<std::int32_t>)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  return c + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

MPSKIT_INLINE Vec<float> broadcast(const float* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_set1_ps(*p);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_broadcast_ss(p);
#else
  return Vec<float>{*p, *p, *p, *p};
#endif
}
MPSKIT_INLINE Vec<double> broadcast(const double* p) { return *p - Vec<double>{}; }
MPSKIT_INLINE Vec<std::int32_t> broadcast_pair(const std::int16_t* p) {
  std::int32_t both;
  __builtin_memcpy(&both, p, sizeof both);
  return both - Vec<std::int32_t>{};
}

// float16: exact to float, nearest even from float.
inline constexpr bool isa_converts_half = MPSKIT_VECTOR_BYTES > 16
#if defined(__aarch64__)
                                          || true
#endif
    ;
// Bytes, whatever the type of what lies there is called: Float16 is not uint16_t to a compiler.
MPSKIT_INLINE Vec<float> load_half(const std::uint16_t* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<float>)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256((const __m256i*)p));  // GCC 12 warns of the plain one
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p));
#elif defined(__aarch64__)
  uint16x4_t h;
  __builtin_memcpy(&h, p, sizeof h);
  return (Vec<float>)vcvt_f32_f16(vreinterpret_f16_u16(h));
#else
  // The exponent moves over by a multiplication, which is exact and makes subnormal numbers normal; infinity and NaN, whose
  // exponent must become all ones, take it from a mask.
  using I = Vec<std::int32_t>;
  std::uint16_t bits[4];
  __builtin_memcpy(bits, p, sizeof bits);
  const I h{bits[0], bits[1], bits[2], bits[3]};
  const I magnitude = (h & 0x7fff) << 13, sign = (h & 0x8000) << 16;
  const Vec<float> scaled = (Vec<float>)magnitude * 0x1p112f;
  return (Vec<float>)((I)scaled | ((magnitude >= 0x0f800000) & 0x7f800000) | sign);
#endif
}
MPSKIT_INLINE void store_half(std::uint16_t* p, Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64
  _mm256_storeu_si256((__m256i*)p, _mm512_maskz_cvtps_ph(0xffff, (__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif MPSKIT_VECTOR_BYTES == 32
  _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__aarch64__)
  const uint16x4_t h = vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)v));
  __builtin_memcpy(p, &h, sizeof h);
#else
  std::uint16_t bits[4];
  for (int i = 0; i < 4; ++i) bits[i] = float_to_half(v[i]);
  __builtin_memcpy(p, bits, sizeof bits);
#endif
}

}  // namespace mpskit::cpu::MPSKIT_ISA
