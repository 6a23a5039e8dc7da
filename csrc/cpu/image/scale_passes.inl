#pragma once
// Sums of weighted pixels in float32, over rows of floats in a workspace. No lane sees another pixel's value, so what is not
// finite stays where the taps take it.
#include "cpu/image/scale_axis.inl"
#include "cpu/simd/pixels.inl"
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// sum = the registers at src, src + stride, ..., each times its weight. Sums of sums of 64: the error of thousands of taps stays
// below that of a hundred.
template <int registers>
MPSKIT_INLINE void weigh(const float* src, std::ptrdiff_t stride, const float* weights, std::int64_t count, Vec<float> (&sum)[registers]) {
  auto some = [&](std::int64_t begin, std::int64_t end, Vec<float>(&total)[registers]) {
    for (auto& t : total) t = Vec<float>{};
    const float* p = src + begin * stride;
    for (std::int64_t k = begin; k < end; ++k, p += stride) {
      const Vec<float> w = broadcast(weights + k);
#pragma GCC unroll 16
      for (int i = 0; i < registers; ++i) total[i] = multiply_add(w, load<Vec<float>>(p + i * lanes<float>), total[i]);
    }
  };
  constexpr std::int64_t block = 64;
  some(0, std::min(count, block), sum);
  for (std::int64_t k = block; k < count; k += block) {
    Vec<float> more[registers];
    some(k, std::min(count, k + block), more);
    for (int i = 0; i < registers; ++i) sum[i] += more[i];
  }
}

// Down a block of columns: `width` floats beside each other, rows of the block at distance `stride`. Rounds width up to registers.
MPSKIT_INLINE void weigh_rows(const float* src, std::ptrdiff_t stride, const float* weights, std::int64_t count, float* dst, std::int64_t width) {
  constexpr int most = 8;
  std::int64_t x = 0;
  for (; x + most * lanes<float> <= width; x += most * lanes<float>) {
    Vec<float> sum[most];
    weigh(src + x, stride, weights, count, sum);
    for (int i = 0; i < most; ++i) store(dst + x + i * lanes<float>, sum[i]);
  }
  for (; x < width; x += lanes<float>) {
    Vec<float> sum[1];
    weigh(src + x, stride, weights, count, sum);
    store(dst + x, sum[0]);
  }
}

// Along rows. `src` begins with pixel `first` of its row; writes outputs [out.begin, out.end) from dst on, and up to `overrun`
// floats behind them.
struct Rows {
  const float* src;
  std::ptrdiff_t src_stride;
  std::int64_t first;
  float* dst;
  std::ptrdiff_t dst_stride;
};
inline constexpr std::int64_t overrun = 32;

// Pixels of many channels: a register holds channels of one pixel.
inline void weigh_pixels(const Rows& rows, std::int64_t count, std::int64_t channels, const Axis& axis, Axis::Range out) {
  for (std::int64_t r = 0; r < count; ++r) {
    float* dst = rows.dst + r * rows.dst_stride;
    for (std::int64_t i = out.begin; i < out.end; ++i, dst += channels) {
      const Axis::Taps& t = axis[i];
      const float* src = rows.src + r * rows.src_stride + (t.first - rows.first) * channels;
      weigh_rows(src, channels, axis.weights_of(t), t.count, dst, channels);  // the next pixel overwrites what is too much
    }
  }
}

// Pixels of four floats: a register holds one pixel or more, each with its own weight, which serves all of `count` rows.
#if MPSKIT_VECTOR_BYTES == 64
MPSKIT_INLINE Vec<float> repeat_four(const float* w) {
  const __m512i which = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  return (Vec<float>)_mm512_maskz_permutexvar_ps(0xffff, which, _mm512_maskz_broadcast_f32x4(0xffff, _mm_loadu_ps(w)));
}
MPSKIT_INLINE Vec<float> load_some_pixels(const float* p, std::int64_t count) {
  return (Vec<float>)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << (4 * count)) - 1), p);
}
#elif MPSKIT_VECTOR_BYTES == 32
MPSKIT_INLINE Vec<float> repeat_four(const float* w) {
  double two;
  __builtin_memcpy(&two, w, sizeof two);
  return (Vec<float>)_mm256_permutevar_ps(_mm256_castpd_ps(_mm256_set1_pd(two)), _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
}
MPSKIT_INLINE Vec<float> load_some_pixels(const float* p, std::int64_t) { return (Vec<float>)_mm256_zextps128_ps256(_mm_loadu_ps(p)); }
#else
MPSKIT_INLINE Vec<float> repeat_four(const float* w) { return broadcast(w); }
MPSKIT_INLINE Vec<float> load_some_pixels(const float* p, std::int64_t) { return load<Vec<float>>(p); }
#endif

MPSKIT_INLINE Four add_pixels(Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64
  const Eight two = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_shufflevector(two, two, 0, 1, 2, 3) + __builtin_shufflevector(two, two, 4, 5, 6, 7);
#elif MPSKIT_VECTOR_BYTES == 32
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
  return v;
#endif
}

template <int count>
void weigh_quads(const Rows& rows, std::int64_t channels, const Axis& axis, Axis::Range out) {
  constexpr std::int64_t pixels = lanes<float> / 4, block = 64 * pixels;
  for (std::int64_t i = out.begin; i < out.end; ++i) {
    const Axis::Taps& t = axis[i];
    const float *src = rows.src + (t.first - rows.first) * 4, *weights = axis.weights_of(t);
    auto some = [&](std::int64_t k, std::int64_t end, Vec<float>(&total)[count]) {
      for (auto& v : total) v = Vec<float>{};
      for (; k + pixels <= end; k += pixels) {
        const Vec<float> w = repeat_four(weights + k);
#pragma GCC unroll 8
        for (int r = 0; r < count; ++r) total[r] = multiply_add(w, load<Vec<float>>(src + r * rows.src_stride + 4 * k), total[r]);
      }
      if (k < end) {
        const Vec<float> w = repeat_four(weights + k);
#pragma GCC unroll 8
        for (int r = 0; r < count; ++r) total[r] = multiply_add(w, load_some_pixels(src + r * rows.src_stride + 4 * k, end - k), total[r]);
      }
    };
    Vec<float> sum[count];
    some(0, std::min(t.count, block), sum);
    for (std::int64_t k = block; k < t.count; k += block) {
      Vec<float> more[count];
      some(k, std::min(t.count, k + block), more);
      for (int r = 0; r < count; ++r) sum[r] += more[r];
    }
    for (int r = 0; r < count; ++r) store(rows.dst + r * rows.dst_stride + (i - out.begin) * channels, add_pixels(sum[r]));
  }
}
inline void weigh_quads(Rows rows, std::int64_t count, std::int64_t channels, const Axis& axis, Axis::Range out) {
  std::int64_t r = 0;
  for (; r + 4 <= count; r += 4) {
    weigh_quads<4>(rows, channels, axis, out);
    rows.src += 4 * rows.src_stride;
    rows.dst += 4 * rows.dst_stride;
  }
  for (; r < count; ++r) {
    weigh_quads<1>(rows, channels, axis, out);
    rows.src += rows.src_stride;
    rows.dst += rows.dst_stride;
  }
}
// Three floats a pixel to four; the fourth is any number.
inline void spread_to_quads(const float* src, std::int64_t pixels, float* dst) {
  for (std::int64_t x = 0; x < pixels; ++x) store(dst + 4 * x, load<Four>(src + 3 * x));
}

// Pixels of one or two channels: sixteen rows beside each other, so that a lane is a row.
inline constexpr std::int64_t turned_rows = 16;
inline void turn_rows(const float* src, std::ptrdiff_t stride, std::int64_t width, float* dst) {
  for (std::int64_t x = 0; x < width; x += 8)
    for (std::int64_t r = 0; r < turned_rows; r += 8) {
      Eight block[8];
      for (int i = 0; i < 8; ++i) block[i] = load<Eight>(src + (r + i) * stride + x);
      turn(block);
      for (int i = 0; i < 8; ++i) store(dst + (x + i) * turned_rows + r, block[i]);
    }
}
// rows.src is what turn_rows made.
template <int channels>
void weigh_turned(const Rows& rows, const Axis& axis, Axis::Range out) {
  constexpr std::int64_t outputs = 8, pixel = channels * turned_rows;
  constexpr int registers = pixel / lanes<float>;
  float block[outputs * pixel] = {};
  float* dst = rows.dst;
  for (std::int64_t begin = out.begin; begin < out.end; begin += outputs, dst += outputs * channels) {
    for (std::int64_t i = begin; i < std::min(begin + outputs, out.end); ++i) {
      const Axis::Taps& t = axis[i];
      Vec<float> sum[registers];
      weigh(rows.src + (t.first - rows.first) * pixel, pixel, axis.weights_of(t), t.count, sum);
      for (int j = 0; j < registers; ++j) store(block + (i - begin) * pixel + j * lanes<float>, sum[j]);
    }
    for (std::int64_t x = 0; x < outputs * channels; x += 8)
      for (std::int64_t r = 0; r < turned_rows; r += 8) {
        Eight some[8];
        for (int i = 0; i < 8; ++i) some[i] = load<Eight>(block + (x + i) * turned_rows + r);
        turn(some);
        for (int i = 0; i < 8; ++i) store(dst + (r + i) * rows.dst_stride + x, some[i]);
      }
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
