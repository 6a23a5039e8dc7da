#pragma once
// A stack is as many rows as a register has lanes, a row to a lane: column x of the rows is register x. What works down the
// columns of a picture then works along its rows too, without a shuffle or an unaligned load.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

inline constexpr std::int64_t stack_rows = lanes<float>;

// Four by four, within each 16 bytes of the registers.
MPSKIT_INLINE void transpose_quads(Vec<float> (&v)[4]) {
#if defined(__x86_64__)
#if MPSKIT_VECTOR_BYTES == 64
  auto low = [](__m512 a, __m512 b) { return _mm512_maskz_unpacklo_ps(0xffff, a, b); };
  auto high = [](__m512 a, __m512 b) { return _mm512_maskz_unpackhi_ps(0xffff, a, b); };
  auto low2 = [](__m512 a, __m512 b) { return (__m512)_mm512_maskz_unpacklo_pd(0xff, (__m512d)a, (__m512d)b); };
  auto high2 = [](__m512 a, __m512 b) { return (__m512)_mm512_maskz_unpackhi_pd(0xff, (__m512d)a, (__m512d)b); };
  using Register = __m512;
#elif MPSKIT_VECTOR_BYTES == 32
  auto low = [](__m256 a, __m256 b) { return _mm256_unpacklo_ps(a, b); };
  auto high = [](__m256 a, __m256 b) { return _mm256_unpackhi_ps(a, b); };
  auto low2 = [](__m256 a, __m256 b) { return (__m256)_mm256_unpacklo_pd((__m256d)a, (__m256d)b); };
  auto high2 = [](__m256 a, __m256 b) { return (__m256)_mm256_unpackhi_pd((__m256d)a, (__m256d)b); };
  using Register = __m256;
#else
  auto low = [](__m128 a, __m128 b) { return _mm_unpacklo_ps(a, b); };
  auto high = [](__m128 a, __m128 b) { return _mm_unpackhi_ps(a, b); };
  auto low2 = [](__m128 a, __m128 b) { return (__m128)_mm_unpacklo_pd((__m128d)a, (__m128d)b); };
  auto high2 = [](__m128 a, __m128 b) { return (__m128)_mm_unpackhi_pd((__m128d)a, (__m128d)b); };
  using Register = __m128;
#endif
#elif defined(__aarch64__)
  auto low = [](float32x4_t a, float32x4_t b) { return vzip1q_f32(a, b); };
  auto high = [](float32x4_t a, float32x4_t b) { return vzip2q_f32(a, b); };
  auto low2 = [](float32x4_t a, float32x4_t b) { return (float32x4_t)vzip1q_f64((float64x2_t)a, (float64x2_t)b); };
  auto high2 = [](float32x4_t a, float32x4_t b) { return (float32x4_t)vzip2q_f64((float64x2_t)a, (float64x2_t)b); };
  using Register = float32x4_t;
#else
  using Register = Vec<float>;
  auto low = [](Register a, Register b) { return Register{a[0], b[0], a[1], b[1]}; };
  auto high = [](Register a, Register b) { return Register{a[2], b[2], a[3], b[3]}; };
  auto low2 = [](Register a, Register b) { return Register{a[0], a[1], b[0], b[1]}; };
  auto high2 = [](Register a, Register b) { return Register{a[2], a[3], b[2], b[3]}; };
#endif
  const auto a = (Register)v[0], b = (Register)v[1], c = (Register)v[2], d = (Register)v[3];
  const Register ab = low(a, b), cd = low(c, d), ab2 = high(a, b), cd2 = high(c, d);
  v[0] = (Vec<float>)low2(ab, cd);
  v[1] = (Vec<float>)high2(ab, cd);
  v[2] = (Vec<float>)low2(ab2, cd2);
  v[3] = (Vec<float>)high2(ab2, cd2);
}

// 16 bytes of rows q, q + 4, ... of a stack, side by side: of four such registers each 16 bytes have four rows of their own. row(i) is where
// those of row i begin.
template <class Row>
MPSKIT_INLINE Vec<float> load_quads(Row&& row, int q) {
#if MPSKIT_VECTOR_BYTES == 64
  __m512 r = _mm512_castps128_ps512(_mm_loadu_ps(row(q)));
  r = _mm512_insertf32x4(r, _mm_loadu_ps(row(q + 4)), 1);
  r = _mm512_insertf32x4(r, _mm_loadu_ps(row(q + 8)), 2);
  return (Vec<float>)_mm512_insertf32x4(r, _mm_loadu_ps(row(q + 12)), 3);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<float>)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(q))), _mm_loadu_ps(row(q + 4)), 1);
#else
  return load<Vec<float>>(row(q));
#endif
}
template <class Row>
MPSKIT_INLINE void store_quads(Row&& row, int q, Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64  // the instruction that takes a part of a register to memory: GCC makes two of the intrinsic that it does not warn of
  store(row(q), __builtin_shufflevector(v, v, 0, 1, 2, 3));
  store(row(q + 4), __builtin_shufflevector(v, v, 4, 5, 6, 7));
  store(row(q + 8), __builtin_shufflevector(v, v, 8, 9, 10, 11));
  store(row(q + 12), __builtin_shufflevector(v, v, 12, 13, 14, 15));
#elif MPSKIT_VECTOR_BYTES == 32
  _mm_storeu_ps(row(q), _mm256_castps256_ps128((__m256)v));
  _mm_storeu_ps(row(q + 4), _mm256_extractf128_ps((__m256)v, 1));
#else
  store(row(q), v);
#endif
}

// Four columns of a stack, or the columns of several such fours: those of a row are then touched one after the other, where rows a power of two
// apart drive each other out of L1.
template <class Row, int fours>
MPSKIT_INLINE void load_columns_of(Row&& row, Vec<float> (&v)[fours][4]) {
  for (int q = 0; q < 4; ++q)
    for (int f = 0; f < fours; ++f) v[f][q] = load_quads([&](int i) __attribute__((always_inline)) { return row(i) + 4 * f; }, q);
  for (int f = 0; f < fours; ++f) transpose_quads(v[f]);
}
template <class Row, int fours>
MPSKIT_INLINE void store_columns_of(Row&& row, Vec<float> (&v)[fours][4]) {
  for (int f = 0; f < fours; ++f) transpose_quads(v[f]);
  for (int q = 0; q < 4; ++q)
    for (int f = 0; f < fours; ++f) store_quads([&](int i) __attribute__((always_inline)) { return row(i) + 4 * f; }, q, v[f][q]);
}
// Four columns of rows `pitch` floats apart.
MPSKIT_INLINE void load_columns(const float* rows, std::int64_t pitch, Vec<float> (&v)[4]) {
  for (int q = 0; q < 4; ++q) v[q] = load_quads([&](int i) __attribute__((always_inline)) { return rows + i * pitch; }, q);
  transpose_quads(v);
}
MPSKIT_INLINE void store_columns(float* rows, std::int64_t pitch, Vec<float> (&v)[4]) {
  transpose_quads(v);
  for (int q = 0; q < 4; ++q) store_quads([&](int i) __attribute__((always_inline)) { return rows + i * pitch; }, q, v[q]);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
