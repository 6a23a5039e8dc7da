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

#if MPSKIT_VECTOR_BYTES == 64
// Sixteen by sixteen.
MPSKIT_INLINE void turn_lanes(Vec<float> (&v)[16]) {
  Vec<float> t[4][4];  // of four columns: quarters of rows q, q + 4, ... side by side
  for (int q = 0; q < 4; ++q) {
    const Vec<float> a = v[q], b = v[q + 4], c = v[q + 8], d = v[q + 12];
    const Vec<float> ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    const Vec<float> cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    const Vec<float> ab2 = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    const Vec<float> cd2 = __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    t[0][q] = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[1][q] = __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    t[2][q] = __builtin_shufflevector(ab2, cd2, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[3][q] = __builtin_shufflevector(ab2, cd2, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
  for (int f = 0; f < 4; ++f) {
    transpose_quads(t[f]);
    for (int c = 0; c < 4; ++c) v[4 * f + c] = t[f][c];
  }
}
#endif

// Four columns of a stack: row(i) is where those of row i begin.
template <class Row>
MPSKIT_INLINE void load_columns_of(Row&& row, Vec<float> (&v)[4]) {
  for (int q = 0; q < 4; ++q) {  // rows q, q + 4, ... side by side; each 16 bytes then have four rows of their own
#if MPSKIT_VECTOR_BYTES == 64
    __m512 r = _mm512_castps128_ps512(_mm_loadu_ps(row(q)));
    r = _mm512_insertf32x4(r, _mm_loadu_ps(row(q + 4)), 1);
    r = _mm512_insertf32x4(r, _mm_loadu_ps(row(q + 8)), 2);
    v[q] = (Vec<float>)_mm512_insertf32x4(r, _mm_loadu_ps(row(q + 12)), 3);
#elif MPSKIT_VECTOR_BYTES == 32
    v[q] = (Vec<float>)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(q))), _mm_loadu_ps(row(q + 4)), 1);
#else
    v[q] = load<Vec<float>>(row(q));
#endif
  }
  transpose_quads(v);
}
template <class Row>
MPSKIT_INLINE void store_columns_of(Row&& row, Vec<float> (&v)[4]) {
  transpose_quads(v);
  for (int q = 0; q < 4; ++q) {
#if MPSKIT_VECTOR_BYTES == 64
    const auto r = (__m512)v[q];
    _mm_storeu_ps(row(q), _mm512_maskz_extractf32x4_ps(0xf, r, 0));
    _mm_storeu_ps(row(q + 4), _mm512_maskz_extractf32x4_ps(0xf, r, 1));
    _mm_storeu_ps(row(q + 8), _mm512_maskz_extractf32x4_ps(0xf, r, 2));
    _mm_storeu_ps(row(q + 12), _mm512_maskz_extractf32x4_ps(0xf, r, 3));
#elif MPSKIT_VECTOR_BYTES == 32
    const auto r = (__m256)v[q];
    _mm_storeu_ps(row(q), _mm256_castps256_ps128(r));
    _mm_storeu_ps(row(q + 4), _mm256_extractf128_ps(r, 1));
#else
    store(row(q), v[q]);
#endif
  }
}
// The same of rows `pitch` floats apart.
MPSKIT_INLINE void load_columns(const float* rows, std::int64_t pitch, Vec<float> (&v)[4]) {
  load_columns_of([&](int i) __attribute__((always_inline)) { return rows + i * pitch; }, v);
}
// Rows of three, one behind the other. A column has one float in every place modulo the register's, as three shares no divisor with their
// number: they are put together as they lie, and then in order.
template <int k, std::size_t... i>
MPSKIT_INLINE Vec<float> third_column(Vec<float> a, Vec<float> b, Vec<float> c, std::index_sequence<i...>) {
  constexpr int n = lanes<float>, third = n == 16 ? 11 : 3;  // 3 * third = 1 modulo n
  struct From {
    static constexpr int part(int place) { return (3 * ((place + n - k) * third % n) + k) / n; }  // the register that has it there
  };
  const Vec<float> first = __builtin_shufflevector(a, b, (static_cast<int>(i) + (From::part(static_cast<int>(i)) == 1 ? n : 0))...);
  const Vec<float> together = __builtin_shufflevector(first, c, (static_cast<int>(i) + (From::part(static_cast<int>(i)) == 2 ? n : 0))...);
  return __builtin_shufflevector(together, together, ((3 * static_cast<int>(i) + k) % n)...);
}
MPSKIT_INLINE void load_triples(const float* rows, Vec<float> (&v)[3]) {
  constexpr std::make_index_sequence<lanes<float>> each;
  const auto a = load<Vec<float>>(rows), b = load<Vec<float>>(rows + lanes<float>), c = load<Vec<float>>(rows + 2 * lanes<float>);
  v[0] = third_column<0>(a, b, c, each);
  v[1] = third_column<1>(a, b, c, each);
  v[2] = third_column<2>(a, b, c, each);
}
MPSKIT_INLINE void store_columns(float* rows, std::int64_t pitch, Vec<float> (&v)[4]) {
  store_columns_of([&](int i) __attribute__((always_inline)) { return rows + i * pitch; }, v);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
