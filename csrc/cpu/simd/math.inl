#pragma once
// Functions of float registers. Errors are stated in units of the last place of the exact result and are held by tests/native; NaN
// stays NaN. Polynomials are minimax fits of our own, in powers from the lowest; the ranges are reduced after Cody and Waite.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

using Floats = Vec<float>;
using Ints = Vec<std::int32_t>;

MPSKIT_INLINE Floats all(float v) { return v - Floats{}; }
// b where a is NaN or b is: so that all(0) against x keeps a NaN of x.
MPSKIT_INLINE Floats maximum(Floats a, Floats b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Floats)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);  // GCC 12 warns of the plain one
#elif MPSKIT_VECTOR_BYTES == 32
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Floats)_mm_max_ps((__m128)a, (__m128)b);
#else
  return a > b ? a : b;
#endif
}
MPSKIT_INLINE Floats minimum(Floats a, Floats b) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Floats)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
#elif MPSKIT_VECTOR_BYTES == 32
  return (Floats)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Floats)_mm_min_ps((__m128)a, (__m128)b);
#else
  return a < b ? a : b;
#endif
}
MPSKIT_INLINE Floats magnitude(Floats x) { return (Floats)((Ints)x & 0x7fffffff); }
MPSKIT_INLINE Floats with_sign_of(Floats sign, Floats x) { return (Floats)((Ints)x | ((Ints)sign & static_cast<std::int32_t>(0x80000000))); }

template <class... C>
MPSKIT_INLINE Floats polynomial(Floats x, float first, C... rest) {
  if constexpr (sizeof...(rest) == 0) return all(first);
  else return multiply_add(x, polynomial(x, rest...), all(first));
}

namespace reduced {
// x = n * log(2) + r, |r| <= log(2) / 2; n + 127 stands in the low bits of `biased`, ready to be shifted into an exponent.
struct Parts {
  Ints biased;
  Floats r;
};
constexpr float magic = 0x1.8p23f + 127;  // adding it leaves the nearest integer in the low bits
MPSKIT_INLINE Parts by_log2(Floats x) {
  const Floats t = multiply_add(x, all(0x1.715476p0f), all(magic)), n = t - magic;
  const Floats r = multiply_add(n, all(-0x1.62e4p-1f), x);  // 15 bits: the product is exact
  return {(Ints)t, multiply_add(n, all(-0x1.7f7d1cp-20f), r)};
}
// 2^n of n + 127; 0 for n = -127 and infinity for 128. Higher bits fall off.
MPSKIT_INLINE Floats power_of_2(Ints biased) { return (Floats)(biased << 23); }
MPSKIT_INLINE Floats exp_minus_1(Floats r) {
  return multiply_add(r * r, polynomial(r, 0.5f, 0x1.555554p-3f, 0x1.5554bp-5f, 0x1.11118ap-7f, 0x1.6d73cp-10f, 0x1.a032dcp-13f), r);
}
}  // namespace reduced

// 1.5 ulp, subnormal results too.
MPSKIT_INLINE Floats exp(Floats x) {
  x = maximum(all(-104), minimum(all(89), x));
  const reduced::Parts p = reduced::by_log2(x);
  const Ints n = p.biased - std::bit_cast<std::int32_t>(reduced::magic), half = n >> 1;  // two steps, for powers that no float is
  return (reduced::exp_minus_1(p.r) + 1) * reduced::power_of_2(half + 127) * reduced::power_of_2(n - half + 127);
}
#if MPSKIT_VECTOR_BYTES == 64
// 2^(j / 16), less j units of the 20th bit: what sixteenths n leave in the bits of an exponent and below adds to it.
inline constexpr std::uint32_t sixteenths[16]{0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
                                              0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};
#endif
// exp(x) for x <= 0, 1.5 ulp; 0 where the result is less than the least normal number, give or take a factor of 1.5.
MPSKIT_INLINE Floats exp_of_negative(Floats x) {
#if MPSKIT_VECTOR_BYTES == 64
  // A register is a table of sixteen numbers, and three terms do for what is left of a sixteenth: twelve instructions for fifteen.
  constexpr float magic = 0x1.8p23f;
  const Floats t = multiply_add(x, all(0x1.715476p4f), all(magic)), n = t - magic;
  const Floats r = multiply_add(n, all(0x1.05c61p-33f), multiply_add(n, all(-0x1.62e43p-5f), x));
  const auto power = (Vec<std::uint32_t>)_mm512_maskz_permutexvar_epi32(0xffff, (__m512i)t, _mm512_loadu_si512(sixteenths));
  const auto scale = (Floats)(power + ((Vec<std::uint32_t>)t << 19));
  const Floats rest = multiply_add(r * r, polynomial(r, 0x1.00022p-1f, 0x1.555752p-3f), r);
  const __mmask16 is_normal = _mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(-0x1.5d589ep6f), _CMP_NLT_UQ);  // log(2^-126); NaN stays
  return (Floats)_mm512_maskz_fmadd_ps(is_normal, (__m512)scale, (__m512)rest, (__m512)scale);
#else
  const reduced::Parts p = reduced::by_log2(maximum(all(-88), x));
  const Floats scale = reduced::power_of_2(p.biased);
  return multiply_add(scale, reduced::exp_minus_1(p.r), scale);
#endif
}
// exp(x) - 1 for x <= 0, 2 ulp.
MPSKIT_INLINE Floats expm1_of_negative(Floats x) {
  const reduced::Parts p = reduced::by_log2(maximum(all(-88), x));
  const Floats scale = reduced::power_of_2(p.biased);
  return multiply_add(scale, reduced::exp_minus_1(p.r), scale - 1);
}

// 1.5 ulp; -infinity for 0, NaN below.
MPSKIT_INLINE Floats log(Floats x) {
  const Ints tiny = x < 0x1p-126f;
  const Ints bits = (Ints)(tiny ? x * 0x1p23f : x);
  const Ints exponent = (bits - 0x3f3504f3) >> 23;  // of a mantissa from sqrt(1/2) to sqrt(2)
  const Floats f = (Floats)(bits - (exponent << 23)) - 1;
  const Floats e = __builtin_convertvector(exponent - (tiny & 23), Floats);
  const Floats p = polynomial(f, 0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a4b6p-3f, -0x1.555c4ep-3f, 0x1.233768p-3f, -0x1.fc2206p-4f, 0x1.e6f06ep-4f,
                              -0x1.de3c22p-4f, 0x1.1457aep-4f);
  const Floats small = multiply_add(e, all(0x1.7f7d1cp-20f), multiply_add(f * f, multiply_add(f, p, all(-0.5f)), Floats{}));
  Floats result = multiply_add(e, all(0x1.62e4p-1f), f + small);
  result = x < std::numeric_limits<float>::infinity() ? result : x;  // infinity, NaN
  result = x > 0 ? result : (x == 0 ? all(-std::numeric_limits<float>::infinity()) : all(std::numeric_limits<float>::quiet_NaN()));
  return x == x ? result : x;
}
// log(1 + e) for 0 <= e <= 1, 2 ulp: twice the area tangent of e / (2 + e).
MPSKIT_INLINE Floats log1p_of_fraction(Floats e) {
  const Floats s = e / (e + 2), u = s * s;
  const Floats t = multiply_add(u * s, polynomial(u, 0x1.555558p-2f, 0x1.9996bp-3f, 0x1.2508b2p-3f, 0x1.b6e6ccp-4f, 0x1.f17344p-4f), s);
  return t + t;
}

// 3 ulp.
MPSKIT_INLINE Floats tanh(Floats x) {
  const Floats z = magnitude(x), u = x * x;
  const Floats near = multiply_add(u * z, polynomial(u, -0x1.555532p-2f, 0x1.110726p-3f, -0x1.b83c5ap-5f, 0x1.52269ap-6f, -0x1.75e1c4p-8f), z);
  const Floats e = exp_of_negative(-2 * z);
  return with_sign_of(x, z < 0.625f ? near : (1 - e) / (1 + e));
}
// 1 / (1 + exp(-x)), 3 ulp; 0 where the result is less than the least normal number.
MPSKIT_INLINE Floats logistic(Floats x) {
  const Floats e = exp_of_negative(-magnitude(x));
  return (x < 0 ? e : all(1)) / (1 + e);
}
// log(1 + exp(x)), 3 ulp; 0 where the result is less than the least normal number.
MPSKIT_INLINE Floats softplus(Floats x) { return maximum(Floats{}, x) + log1p_of_fraction(exp_of_negative(-magnitude(x))); }
// x * (1 + erf(x / sqrt(2))) / 2, 8 ulp times 1 + x * x / 2; 0 far below.
MPSKIT_INLINE Floats gelu(Floats x) {
  const Floats t = 1 / multiply_add(magnitude(x), all(0x1.b27248p-3f), all(1));  // 0.3 / sqrt(2)
  const Floats scaled = polynomial(t, 0x1.5a7ef2p-3f, 0x1.5da43p-3f, 0x1.2fb24ap-3f, 0x1.b884cp-3f, -0x1.8526p-4f, 0x1.18ab82p-1f, -0x1.067992p-1f,
                                   0x1.f1625ap-2f, -0x1.0953ap-3f);  // exp(z * z) * erfc(z) / t with z = |x| / sqrt(2)
  const Floats tail = 0.5f * t * scaled * exp_of_negative(-0.5f * x * x) * magnitude(x);
  return x < 0 ? -tail : x - tail;
}

// f of every element, whole registers and then what is left of one.
template <class F>
MPSKIT_INLINE void transform(float* values, std::int64_t n, F&& f) {
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) store(values + i, f(load<Floats>(values + i)));
  if (i == n) return;
  float rest[lanes<float>] = {};
  std::memcpy(rest, values + i, static_cast<std::size_t>(n - i) * sizeof(float));
  store(rest, f(load<Floats>(rest)));
  std::memcpy(values + i, rest, static_cast<std::size_t>(n - i) * sizeof(float));
}

}  // namespace mpskit::cpu::MPSKIT_ISA
