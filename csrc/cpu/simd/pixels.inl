#pragma once
// Image elements as floats. A format's code is the number that it stores: 0..255, 0..65535, or the float itself; the value that
// it means is code / unit. Filters work on codes and put the units of source and destination into one factor.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

enum class Float16 : std::uint16_t {};  // its bits: a type of its own, since uint16 holds codes

template <class P>
inline constexpr float unit = 1;
template <>
inline constexpr float unit<std::uint8_t> = 255;
template <>
inline constexpr float unit<std::uint16_t> = 65535;

// The code of 1.
template <class P>
inline constexpr P white = static_cast<P>(unit<P>);
template <>
inline constexpr Float16 white<Float16>{0x3c00};

// f(P{}) with the element type P of an image format.
template <class F>
MPSKIT_INLINE decltype(auto) visit_pixels(DType t, F&& f) {
  switch (t) {
    case DType::u8: return f(std::uint8_t{});
    case DType::u16: return f(std::uint16_t{});
    case DType::f16: return f(Float16{});
    default: return f(float{});
  }
}
inline float unit_of(DType t) {
  return visit_pixels(t, [](auto p) { return unit<decltype(p)>; });
}

#if MPSKIT_VECTOR_BYTES == 64
inline constexpr __mmask16 all_lanes = 0xffff;  // GCC 12 warns of the forms without a mask
#endif

// One register of codes.
MPSKIT_INLINE Vec<float> load_pixels(const float* p) { return load<Vec<float>>(p); }
MPSKIT_INLINE Vec<float> load_pixels(const Float16* p) { return load_half(reinterpret_cast<const std::uint16_t*>(p)); }
MPSKIT_INLINE Vec<std::int32_t> load_codes(const std::uint8_t* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<std::int32_t>)_mm512_maskz_cvtepu8_epi32(all_lanes, _mm_loadu_si128((const __m128i*)p));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<std::int32_t>)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
#else
  return Vec<std::int32_t>{p[0], p[1], p[2], p[3]};
#endif
}
MPSKIT_INLINE Vec<std::int32_t> load_codes(const std::uint16_t* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<std::int32_t>)_mm512_maskz_cvtepu16_epi32(all_lanes, _mm256_loadu_si256((const __m256i*)p));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<std::int32_t>)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p));
#elif defined(__aarch64__)
  return (Vec<std::int32_t>)vmovl_u16(vld1_u16(p));
#else
  return Vec<std::int32_t>{p[0], p[1], p[2], p[3]};
#endif
}
template <class P>
  requires(std::is_integral_v<P>)
MPSKIT_INLINE Vec<float> load_pixels(const P* p) {
  return __builtin_convertvector(load_codes(p), Vec<float>);
}

// The nearest integer in [0, most], ties to even, NaN to 0.
MPSKIT_INLINE Vec<std::int32_t> round_to_code(Vec<float> v, float most) {
  const Vec<float> zero{}, top = most - zero;
#if MPSKIT_VECTOR_BYTES == 64  // max takes its second operand when one is NaN
  const __m512 clamped = _mm512_maskz_min_ps(all_lanes, _mm512_maskz_max_ps(all_lanes, (__m512)v, (__m512)zero), (__m512)top);
  return (Vec<std::int32_t>)_mm512_maskz_cvtps_epi32(all_lanes, clamped);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<std::int32_t>)_mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps((__m256)v, (__m256)zero), (__m256)top));
#elif defined(__x86_64__)
  return (Vec<std::int32_t>)_mm_cvtps_epi32(_mm_min_ps(_mm_max_ps((__m128)v, (__m128)zero), (__m128)top));
#elif defined(__aarch64__)  // maxnm takes the number
  return (Vec<std::int32_t>)vcvtnq_s32_f32(vminq_f32(vmaxnmq_f32((float32x4_t)v, (float32x4_t)zero), (float32x4_t)top));
#else
  v = v > zero ? v : zero;
  v = v < top ? v : top;
  return (Vec<std::int32_t>)(v + 0x1p23f) & 0x7fffff;  // the sum's last bit counts ones
#endif
}

// One register to storage, by the format's rule: clamp, nearest even, NaN to 0 for codes; nearest even for floats.
MPSKIT_INLINE void store_pixels(float* p, Vec<float> v) { store(p, v); }
MPSKIT_INLINE void store_pixels(Float16* p, Vec<float> v) { store_half(reinterpret_cast<std::uint16_t*>(p), v); }
MPSKIT_INLINE void store_pixels(std::uint8_t* p, Vec<float> v) {
  const Vec<std::int32_t> codes = round_to_code(v, unit<std::uint8_t>);
#if MPSKIT_VECTOR_BYTES == 64
  _mm_storeu_si128((__m128i*)p, _mm512_maskz_cvtepi32_epi8(all_lanes, (__m512i)codes));
#elif MPSKIT_VECTOR_BYTES == 32
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)codes), _mm256_extracti128_si256((__m256i)codes, 1));
  _mm_storel_epi64((__m128i*)p, _mm_packus_epi16(words, words));
#elif defined(__x86_64__)
  const __m128i words = _mm_packs_epi32((__m128i)codes, (__m128i)codes);
  const int four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  __builtin_memcpy(p, &four, 4);
#else
  for (int i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(codes[i]);
#endif
}
MPSKIT_INLINE void store_pixels(std::uint16_t* p, Vec<float> v) {
  const Vec<std::int32_t> codes = round_to_code(v, unit<std::uint16_t>);
#if MPSKIT_VECTOR_BYTES == 64
  _mm256_storeu_si256((__m256i*)p, _mm512_maskz_cvtepi32_epi16(all_lanes, (__m512i)codes));
#elif MPSKIT_VECTOR_BYTES == 32
  const __m256i words = _mm256_packus_epi32((__m256i)codes, (__m256i)codes);
  _mm_storeu_si128((__m128i*)p, _mm256_castsi256_si128(_mm256_permute4x64_epi64(words, 0b1000)));
#elif defined(__x86_64__)
  const __m128i moved = (__m128i)(codes - 32768);  // this ISA packs signed numbers only
  _mm_storel_epi64((__m128i*)p, _mm_xor_si128(_mm_packs_epi32(moved, moved), _mm_set1_epi16(-32768)));
#elif defined(__aarch64__)
  vst1_u16(p, vmovn_u32((uint32x4_t)codes));
#else
  for (int i = 0; i < 4; ++i) p[i] = static_cast<std::uint16_t>(codes[i]);
#endif
}

// Less than a register: neither reads nor writes past `count`; the lanes behind it are 0.
template <class P>
MPSKIT_INLINE Vec<float> load_pixels(const P* p, std::int64_t count) {
#if MPSKIT_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<P, float>) return (Vec<float>)_mm512_maskz_loadu_ps(first_lanes(count), p);
#endif
  P whole[lanes<float>] = {};
  std::memcpy(whole, p, static_cast<std::size_t>(count) * sizeof(P));
  return load_pixels(whole);
}
template <class P>
MPSKIT_INLINE void store_pixels(P* p, Vec<float> v, std::int64_t count) {
#if MPSKIT_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<P, float>) return _mm512_mask_storeu_ps(p, first_lanes(count), (__m512)v);
#endif
  P whole[lanes<float>];
  store_pixels(whole, v);
  std::memcpy(p, whole, static_cast<std::size_t>(count) * sizeof(P));
}

// Four registers at once: narrow codes share their packing.
template <class P>
MPSKIT_INLINE void store_pixels(P* p, Vec<float> a, Vec<float> b, Vec<float> c, Vec<float> d) {
#if MPSKIT_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<P, std::uint8_t>) {
    auto code = [](Vec<float> v) { return (__m256i)round_to_code(v, unit<P>); };
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(code(a), code(b)), _mm256_packs_epi32(code(c), code(d)));
    return _mm256_storeu_si256((__m256i*)p, _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
  }
#elif MPSKIT_VECTOR_BYTES == 16 && defined(__x86_64__)
  if constexpr (std::is_same_v<P, std::uint8_t>) {
    auto code = [](Vec<float> v) { return (__m128i)round_to_code(v, unit<P>); };
    const __m128i bytes = _mm_packus_epi16(_mm_packs_epi32(code(a), code(b)), _mm_packs_epi32(code(c), code(d)));
    return _mm_storeu_si128((__m128i*)p, bytes);
  }
#elif defined(__aarch64__)
  if constexpr (std::is_same_v<P, std::uint8_t>) {
    auto code = [](Vec<float> v) { return vmovn_u32((uint32x4_t)round_to_code(v, unit<P>)); };
    return vst1q_u8(p, vcombine_u8(vmovn_u16(vcombine_u16(code(a), code(b))), vmovn_u16(vcombine_u16(code(c), code(d)))));
  }
#endif
  store_pixels(p, a);
  store_pixels(p + lanes<float>, b);
  store_pixels(p + 2 * lanes<float>, c);
  store_pixels(p + 3 * lanes<float>, d);
}

// A run of registers to storage: at(x) is the one from element x on, some(x, n) the last one, of n lanes.
template <class P, class At, class Some>
MPSKIT_INLINE void store_run(P* to, std::int64_t count, At at, Some some) {
  constexpr std::int64_t step = lanes<float>;
  std::int64_t x = 0;
  for (; x + 4 * step <= count; x += 4 * step) store_pixels(to + x, at(x), at(x + step), at(x + 2 * step), at(x + 3 * step));
  for (; x + step <= count; x += step) store_pixels(to + x, at(x));
  if (x < count) store_pixels(to + x, some(x, count - x), count - x);
}
// Where at() may read a register past the end.
template <class P, class At>
MPSKIT_INLINE void store_run(P* to, std::int64_t count, At at) {
  store_run(to, count, at, [=](std::int64_t x, std::int64_t) { return at(x); });
}

// A run of elements to floats, code * factor, and back. The other side holds as many floats.
template <class P>
void to_float(std::span<const P> src, float* dst, float factor = 1) {
  const auto n = static_cast<std::int64_t>(src.size());
  constexpr std::int64_t step = lanes<float>;
  std::int64_t x = 0;
  for (; x + step <= n; x += step) store(dst + x, load_pixels(&src[static_cast<std::size_t>(x)]) * factor);
  if (x < n) store_pixels(dst + x, load_pixels(src.data() + x, n - x) * factor, n - x);
}
template <class P>
void from_float(const float* src, std::span<P> dst, float factor = 1) {
  store_run(dst.data(), static_cast<std::int64_t>(dst.size()), [=](std::int64_t x) { return load<Vec<float>>(src + x) * factor; },
            [=](std::int64_t x, std::int64_t n) { return load_pixels(src + x, n) * factor; });
}

// The same for elements whose format is known at run time only; the choice is made once a run. In common/rows.cpp.
void to_float(DType t, const std::byte* src, std::int64_t count, float* dst, float factor = 1);
void from_float(const float* src, DType t, std::byte* dst, std::int64_t count, float factor = 1);

}  // namespace mpskit::cpu::MPSKIT_ISA
