#pragma once
// Words of generators, and what distributions make of them.
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/square_root.inl"
#include "kernels/common/matrix_random.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

using Randoms = Vec<std::uint32_t>;

// ---- Philox4x32-10, after Salmon, Moraes, Dror and Shaw (2011)
namespace philox {

inline constexpr std::uint32_t first_factor = 0xD2511F53, second_factor = 0xCD9E8D57, first_step = 0x9E3779B9, second_step = 0xBB67AE85;

using Wides = Vec<std::uint64_t>;

inline constexpr int rounds = 10;
struct Key {  // of every round
  std::uint64_t low[rounds], high[rounds];
  explicit Key(std::int64_t seed) {
    const auto bits = static_cast<std::uint64_t>(seed);
    for (std::uint32_t r = 0; r < rounds; ++r) {
      low[r] = static_cast<std::uint32_t>(bits) + r * first_step;
      high[r] = static_cast<std::uint32_t>(bits >> 32) + r * second_step;
    }
  }
};

// The lower halves of the lanes by a number of 32 bits.
MPSKIT_INLINE Wides multiply_words(Wides a, std::uint64_t factor) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Wides)_mm512_maskz_mul_epu32(0xff, (__m512i)a, _mm512_set1_epi64(static_cast<long long>(factor)));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Wides)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(static_cast<long long>(factor)));
#elif defined(__x86_64__)
  return (Wides)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(static_cast<long long>(factor)));
#elif defined(__aarch64__)
  return (Wides)vmull_n_u32(vmovn_u64((uint64x2_t)a), static_cast<std::uint32_t>(factor));
#else
  return (a & 0xffffffffu) * factor;
#endif
}

// The words of some blocks, four each, one block after the other. A word is the lower half of a lane; what stands above it does not matter.
template <int... lane>
MPSKIT_INLINE void blocks_of_lanes(const Key& key, std::uint64_t first, std::uint32_t* out, std::integer_sequence<int, lane...>) {
  constexpr int n = sizeof...(lane);
  const Wides counter = first + Wides{(static_cast<std::uint64_t>(lane) / 2 + static_cast<std::uint64_t>(lane) % 2 * (n / 2))...};
  Wides c[4]{Wides{}, Wides{}, counter >> 32, counter};
#pragma GCC unroll 10
  for (int r = 0; r < rounds; ++r) {
    const Wides p = multiply_words(c[0], first_factor), q = multiply_words(c[2], second_factor);
    c[0] = (q >> 32) ^ c[1] ^ key.low[r];
    c[1] = q;
    c[2] = (p >> 32) ^ c[3] ^ key.high[r];
    c[3] = p;
  }
  const Wides a = (c[0] & 0xffffffffu) | c[1] << 32, b = (c[2] & 0xffffffffu) | c[3] << 32;
  store(out, (Randoms)__builtin_shufflevector(a, b, (lane / 2 * 2 + lane % 2 * n)...));
  store(out + 2 * n, (Randoms)__builtin_shufflevector(a, b, (lane / 2 * 2 + 1 + lane % 2 * n)...));
}
inline constexpr std::int64_t step = 8 * lanes<std::uint64_t>;
MPSKIT_INLINE void blocks(const Key& key, std::uint64_t first, std::uint32_t* out) {
  constexpr int n = lanes<std::uint64_t>;
  for (int i = 0; i < 2; ++i) blocks_of_lanes(key, first + static_cast<std::uint64_t>(i * n), out + 4 * n * i, std::make_integer_sequence<int, n>{});
}

// Words first, first + 1, ... of the sequence.
inline void words(const Key& key, std::uint64_t first, std::int64_t count, std::uint32_t* out) {
  std::uint32_t some[step];
  std::int64_t done = 0;
  if (first % 4 != 0) {
    blocks(key, first / 4, some);
    done = std::min<std::int64_t>(count, step - static_cast<std::int64_t>(first % 4));
    std::memcpy(out, some + first % 4, static_cast<std::size_t>(done) * 4);
  }
  for (; done + step <= count; done += step) blocks(key, (first + static_cast<std::uint64_t>(done)) / 4, out + done);
  if (done < count) {
    blocks(key, (first + static_cast<std::uint64_t>(done)) / 4, some);
    std::memcpy(out + done, some, static_cast<std::size_t>(count - done) * 4);
  }
}

}  // namespace philox

// ---- distributions
namespace distribution {

// a * b + c rounded once on every instruction set: uniform numbers are the same bits everywhere.
MPSKIT_INLINE Floats rounded_once(Floats a, Floats b, Floats c) {
#if MPSKIT_VECTOR_BYTES == 16 && defined(__x86_64__)
  for (int i = 0; i < lanes<float>; ++i) a[i] = std::fma(a[i], b[i], c[i]);
  return a;
#else
  return multiply_add(a, b, c);
#endif
}

// The inverse of the normal distribution, 4e-7 relative for 2^-40 <= p < 1. Of x = 2p - 1 the quotient q(p) / x is a smooth function of
// w = -log(1 - x * x) near the middle and of its root far out; the polynomials are minimax fits of our own. The shader has the same.
MPSKIT_INLINE Floats normal_quantile(Floats p) {
  const Floats w = -log(4 * p * (1 - p)), s = square_root(w);
  const Floats middle = polynomial(w - 2.5f, 0x1.0fc8bep+1f, 0x1.652c86p-2f, -0x1.8332aap-8f, -0x1.d0c8b2p-10f, 0x1.442af4p-12f, -0x1.a14886p-18f,
                                   -0x1.4eea82p-18f, 0x1.04f9c2p-21f, 0x1.5ab15ep-25f);
  const Floats outer = polynomial(s - 3.5f, 0x1.2de4c8p+2f, 0x1.6cb4f8p+0f, 0x1.306018p-8f, -0x1.808d58p-9f, 0x1.88dae0p-10f, -0x1.de6ee0p-11f,
                                  0x1.673dccp-11f, -0x1.95c04ap-12f, 0x1.0ffbcap-14f, 0x1.482dfap-15f, -0x1.d445f2p-17f);
  return (2 * p - 1) * (w < 5 ? middle : outer);
}

// Words become numbers where they lie.
inline void apply(const linalg::RandomMapping& m, std::uint32_t* words, std::int64_t count) {
  if (m.type == linalg::RandomDistribution::raw) return;
  const auto number = [&](Floats bits) {
    const Floats k = __builtin_convertvector((Ints)((Randoms)bits >> 9), Floats);
    if (m.type == linalg::RandomDistribution::uniform) return minimum(rounded_once(all(m.range), k * 0x1p-23f, all(m.minimum)), all(m.most));
    const Floats z = m.sign * normal_quantile(multiply_add(all(m.span), (k + 0.5f) * 0x1p-23f, all(m.first)));
    return maximum(all(m.least), minimum(all(m.most), multiply_add(all(m.deviation), z, all(m.mean))));
  };
  transform(reinterpret_cast<float*>(words), count, number);
}

}  // namespace distribution

// The elements that a call fills, as runs without gaps: run r has `length` elements at row(r), and begins at element r * length.
class RandomRuns {
 public:
  RandomRuns() = default;
  RandomRuns(const Layout& out, const linalg::Batch& matrices) : place_(out, {}, matrices), rows_(out.rows()), count_(matrices.count * out.rows()), length_(out.columns()) {
    if (out.is_packed()) {
      length_ *= count_;
      count_ = length_ > 0;
    }
  }
  std::int64_t count() const { return length_ > 0 ? count_ : 0; }
  std::int64_t length() const { return length_; }
  std::uint32_t* at(const View& v, std::int64_t run) const { return place_.row<std::uint32_t>(v, count_ == 1 ? 0 : run / rows_, count_ == 1 ? 0 : run % rows_); }

 private:
  WindowPlace place_;
  std::int64_t rows_ = 0, count_ = 0, length_ = 0;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
