#pragma once
// Many pixels to few: sums and extremes of rows, of columns, of all. Rows of elements are folded, lane by lane, onto a block of
// accumulators that is whole pixels wide, so channels need no care until the block itself is folded. Codes are added exactly, floats in
// double precision; pieces depend on the layout alone and are joined in order, so the number of threads does not show.
#include "cpu/image/order.inl"
#include "cpu/simd/fold.inl"
#include "cpu/simd/halves.inl"
#include "cpu/simd/pixels.inl"
#include "cpu/simd/words.inl"
#include "kernels/common/region_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Accumulators begin with what changes nothing.
struct Total {
  static constexpr bool adds = true;
  template <class P>
  using Accumulator = std::conditional_t<std::is_integral_v<P>, std::uint32_t, double>;
  template <class T>
  static constexpr T neutral = 0;
  template <class V>
  static MPSKIT_INLINE V of(V a, V b) {
    return a + b;
  }
};
template <class P>
using Ordered = std::conditional_t<std::is_integral_v<P>, P, float>;
template <class T>
inline constexpr T highest = std::is_integral_v<T> ? std::numeric_limits<T>::max() : std::numeric_limits<T>::infinity();
struct Least {
  static constexpr bool adds = false;
  template <class P>
  using Accumulator = Ordered<P>;
  template <class T>
  static constexpr T neutral = highest<T>;
  template <class V>
  static MPSKIT_INLINE V of(V a, V b) {
    return lower(a, b);
  }
};
struct Greatest {
  static constexpr bool adds = false;
  template <class P>
  using Accumulator = Ordered<P>;
  template <class T>
  static constexpr T neutral = std::is_integral_v<T> ? T{} : -std::numeric_limits<T>::infinity();
  template <class V>
  static MPSKIT_INLINE V of(V a, V b) {
    return upper(a, b);
  }
};

MPSKIT_INLINE float value_of(Float16 h) { return half_to_float(static_cast<std::uint16_t>(h)); }
template <class P>
MPSKIT_INLINE P value_of(P p) {
  return p;
}

// Words to two registers of 32 bits: the even ones, then the odd ones. Accumulators of sums of codes lie in that order.
template <class Op, class P>
inline constexpr bool is_parted = Op::adds && std::is_integral_v<P>;
template <class Op, class P>
inline constexpr std::int64_t step_of = is_parted<Op, P> ? lanes<std::uint16_t> : std::is_integral_v<P> ? lanes<P> : lanes<float>;
// Where element i of a block of `size` is accumulated.
template <class Op, class P>
MPSKIT_INLINE std::int64_t place(std::int64_t i, std::int64_t size) {
  if constexpr (is_parted<Op, P>) {
    constexpr std::int64_t step = step_of<Op, P>;
    const std::int64_t j = i % step;
    if (i - j + step <= size) return i - j + j % 2 * (step / 2) + j / 2;
  }
  return i;
}

// A step of extremes: codes as they are, floats as float32.
template <class P>
MPSKIT_INLINE auto load_ordered(const P* p) {
  if constexpr (std::is_integral_v<P>) return load<Vec<P>>(p);
  else return load_pixels(p);
}

// One step of `count` rows.
template <int count, class Op, class P, class T>
MPSKIT_INLINE void fold_step(const P* p, std::int64_t stride, T* sums) {
  if constexpr (is_parted<Op, P>) {
    using W = Vec<std::uint16_t>;
    using L = Vec<std::uint32_t>;
    L even = load<L>(sums), odd = load<L>(sums + lanes<std::uint32_t>);
    if constexpr (sizeof(P) == 1) {
      W sum = load_bytes(p);
      for (int r = 1; r < count; ++r) sum += load_bytes(p + r * stride);
      even += (L)sum & 0xffff;
      odd += (L)sum >> 16;
    } else {
      for (int r = 0; r < count; ++r) {
        const L words = load<L>(p + r * stride);
        even += words & 0xffff;
        odd += words >> 16;
      }
    }
    store(sums, even);
    store(sums + lanes<std::uint32_t>, odd);
  } else if constexpr (Op::adds) {
    const auto half = [=]<int which>(std::integral_constant<int, which>) {
      Vec<double> sum = load_half_of<which>(p);
      for (int r = 1; r < count; ++r) sum += load_half_of<which>(p + r * stride);
      return sum;
    };
    store(sums, load<Vec<double>>(sums) + half(std::integral_constant<int, 0>{}));
    store(sums + lanes<double>, load<Vec<double>>(sums + lanes<double>) + half(std::integral_constant<int, 1>{}));
  } else {
    auto v = load_ordered(p);
    for (int r = 1; r < count; ++r) v = Op::of(v, load_ordered(p + r * stride));
    store(sums, Op::of(load<decltype(v)>(sums), v));
  }
}
template <int count, class Op, class P, class T>
void fold_rows(const P* p, std::int64_t stride, std::int64_t width, std::int64_t size, T* sums) {
  constexpr std::int64_t step = step_of<Op, P>;
  std::int64_t x = 0;
  for (; x + step <= width; x += step) fold_step<count, Op>(p + x, stride, sums + x);
  for (; x < width; ++x) {
    T& sum = sums[place<Op, P>(x, size)];
    for (int r = 0; r < count; ++r) sum = Op::of(sum, static_cast<T>(value_of(p[r * stride + x])));
  }
}

// Rows of one, two or four channels, where a lane meets one channel only, are folded in registers from end to end: a row of bytes is
// a few dozen of them, so what is done once a row must be a few instructions.
template <class Op, class P>
struct LineFolder {  // of extremes
  static constexpr bool adds = false;
  using T = Ordered<P>;
  static constexpr std::int64_t step = 4 * lanes<T>;
  Vec<T> most[4];
  LineFolder() {
    for (auto& m : most) m = Op::template neutral<T> - Vec<T>{};
  }
  template <int channels>
  MPSKIT_INLINE void run(const P* p, std::int64_t steps) {
    Vec<T> m[4] = {most[0], most[1], most[2], most[3]};
    for (; steps > 0; --steps, p += step)
      for (int i = 0; i < 4; ++i) m[i] = Op::of(load_ordered(p + i * lanes<T>), m[i]);
    for (int i = 0; i < 4; ++i) most[i] = m[i];
  }
  template <int channels>
  MPSKIT_INLINE void end(double* totals) const {
    const Vec<T> all = fold_lanes<channels, Op, T>(Op::of(Op::of(most[0], most[1]), Op::of(most[2], most[3])));
    for (int c = 0; c < channels; ++c) totals[c] = Op::of(totals[c], static_cast<double>(all[c]));
  }
};
// Where conversions keep the adders busy, the multipliers add. Compilers would make additions of products by a known one.
MPSKIT_INLINE Vec<double> added(Vec<double> sum, Vec<double> v, [[maybe_unused]] Vec<double> one) {
#if MPSKIT_VECTOR_BYTES == 32
  return (Vec<double>)_mm256_fmadd_pd((__m256d)v, (__m256d)one, (__m256d)sum);
#else
  return sum + v;
#endif
}
template <class P>
  requires(!std::is_integral_v<P>)
struct LineFolder<Total, P> {
  static constexpr bool adds = true;
  static constexpr int count = 8;
  static constexpr std::int64_t step = count * lanes<double>;
  Vec<double> sum[count] = {};
  template <int channels>
  MPSKIT_INLINE void run(const P* p, std::int64_t steps) {
    Vec<double> s[count], one = 1.0 - Vec<double>{};
    for (int i = 0; i < count; ++i) s[i] = sum[i];
#if MPSKIT_VECTOR_BYTES == 32
    asm("" : "+x"(one));
#endif
    for (; steps > 0; --steps, p += step) {
      // Conversions fill the window in which loads wait.
      for (std::size_t i = 0; i < step * sizeof(P); i += 64) __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + 2048 + i));
      for (int i = 0; i < count; i += 2) {
        s[i] = added(s[i], load_half_of<0>(p + i * lanes<double>), one);
        s[i + 1] = added(s[i + 1], load_half_of<1>(p + i * lanes<double>), one);
      }
    }
    for (int i = 0; i < count; ++i) sum[i] = s[i];
  }
  template <int channels>
  MPSKIT_INLINE void end(double* totals) const {
    const Vec<double> even = (sum[0] + sum[2]) + (sum[4] + sum[6]), odd = (sum[1] + sum[3]) + (sum[5] + sum[7]);
    if constexpr (channels > lanes<double>) {
      for (int c = 0; c < channels; ++c) totals[c] += c < lanes<double> ? even[c % lanes<double>] : odd[c % lanes<double>];
    } else {
      const Vec<double> all = fold_lanes<channels, Total, double>(even + odd);
      for (int c = 0; c < channels; ++c) totals[c] += all[c];
    }
  }
};
#if defined(__x86_64__)
// Bytes, eight of them in every second lane.
MPSKIT_INLINE Vec<std::uint32_t> sums_of_eight(const void* p) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Vec<std::uint32_t>)_mm512_sad_epu8(_mm512_loadu_si512(p), _mm512_setzero_si512());
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<std::uint32_t>)_mm256_sad_epu8(_mm256_loadu_si256(static_cast<const __m256i*>(p)), _mm256_setzero_si256());
#else
  return (Vec<std::uint32_t>)_mm_sad_epu8(_mm_loadu_si128(static_cast<const __m128i*>(p)), _mm_setzero_si128());
#endif
}
#endif
// Every fourth code is in a sum of its own, in 32 bits: rows are cut where the lanes together could exceed them.
template <class P>
  requires(std::is_integral_v<P>)
struct LineFolder<Total, P> {
  static constexpr bool adds = true;
  using W = Vec<std::uint16_t>;
  using L = Vec<std::uint32_t>;
  static constexpr std::int64_t step = lanes<P>;
  L sum[4] = {};
  template <int channels>
  MPSKIT_INLINE void run(const P* p, std::int64_t steps) {
#if defined(__x86_64__)
    if constexpr (sizeof(P) == 1 && channels == 1) {
      L more[4] = {};
      for (; steps >= 4; steps -= 4, p += 4 * step)
        for (int i = 0; i < 4; ++i) more[i] += sums_of_eight(p + i * step);
      for (; steps > 0; --steps, p += step) more[0] += sums_of_eight(p);
      sum[0] += (more[0] + more[1]) + (more[2] + more[3]);
      return;
    }
#endif
    if constexpr (sizeof(P) == 1) {
      for (std::int64_t n; steps > 0; steps -= n) {
        n = std::min<std::int64_t>(steps, 256);  // codes that a word holds the sum of
        W all{}, odd{};
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < n; ++k, p += step) {
          const W v = load<W>(p);
          all += v;  // less the odd ones it is the sum of the even ones, whatever was lost above
          odd += v >> 8;
        }
        const W even = all - (odd << 8);
        sum[0] += (L)even & 0xffff;
        sum[1] += (L)odd & 0xffff;
        sum[2] += (L)even >> 16;
        sum[3] += (L)odd >> 16;
      }
    } else {
      L even{}, odd{};
#pragma GCC unroll 4
      for (; steps > 0; --steps, p += step) {
        const L v = load<L>(p);
        even += v & 0xffff;
        odd += v >> 16;
      }
      sum[0] += even;
      sum[1] += odd;
    }
  }
  template <int channels>
  MPSKIT_INLINE void end(double* totals) const {
    if constexpr (channels == 1) {
      totals[0] += fold_lanes<1, Total, std::uint32_t>((sum[0] + sum[1]) + (sum[2] + sum[3]))[0];
    } else if constexpr (channels == 2) {
      for (int c = 0; c < 2; ++c) totals[c] += fold_lanes<1, Total, std::uint32_t>(sum[c] + sum[c + 2])[0];
    } else if constexpr (sizeof(P) == 1) {
      for (int c = 0; c < 4; ++c) totals[c] += fold_lanes<1, Total, std::uint32_t>(sum[c])[0];
    } else {
      const L even = fold_lanes<2, Total, std::uint32_t>(sum[0]), odd = fold_lanes<2, Total, std::uint32_t>(sum[1]);
      for (int c = 0; c < 4; ++c) totals[c] += (c % 2 ? odd : even)[c / 2];
    }
  }
};
template <class P>
struct BothFolder {  // both extremes in one reading
  static constexpr bool adds = false;
  using T = Ordered<P>;
  static constexpr std::int64_t step = 2 * lanes<T>;
  Vec<T> low[2], high[2];
  BothFolder() {
    for (auto& v : low) v = Least::neutral<T> - Vec<T>{};
    for (auto& v : high) v = Greatest::neutral<T> - Vec<T>{};
  }
  template <int channels>
  MPSKIT_INLINE void run(const P* p, std::int64_t steps) {
    Vec<T> l[2] = {low[0], low[1]}, h[2] = {high[0], high[1]};
    for (; steps > 0; --steps, p += step)
      for (int i = 0; i < 2; ++i) {
        const Vec<T> v = load_ordered(p + i * lanes<T>);
        l[i] = lower(v, l[i]);
        h[i] = upper(v, h[i]);
      }
    for (int i = 0; i < 2; ++i) {
      low[i] = l[i];
      high[i] = h[i];
    }
  }
  template <int channels>
  MPSKIT_INLINE void end(double* totals) const {
    const Vec<T> l = fold_lanes<channels, Least, T>(lower(low[0], low[1])), h = fold_lanes<channels, Greatest, T>(upper(high[0], high[1]));
    for (int c = 0; c < channels; ++c) {
      totals[c] = std::min(totals[c], static_cast<double>(l[c]));
      totals[channels + c] = std::max(totals[channels + c], static_cast<double>(h[c]));
    }
  }
};

// The last step of a row is filled up with zeros, or with what it holds already.
template <int channels, class Folder, class P>
void fold_line(const P* p, std::int64_t elements, double* totals) {
  constexpr std::int64_t most = 1 << 16, step = Folder::step;
  for (std::int64_t n; elements > 0; elements -= n, p += n) {
    n = std::min(elements, most);
    Folder folder;
    folder.template run<channels>(p, n / step);
    if (std::int64_t rest = n % step; rest && n > step && !Folder::adds) {
      folder.template run<channels>(p + n - step, 1);
    } else if (rest) {
      P some[step] = {};
      std::memcpy(some, p + n - rest, static_cast<std::size_t>(rest) * sizeof(P));
      for (; rest < step && !Folder::adds; rest += rest) std::memcpy(some + rest, some, static_cast<std::size_t>(std::min(rest, step - rest)) * sizeof(P));
      folder.template run<channels>(some, 1);
    }
    folder.template end<channels>(totals);
  }
}
// Rows of one, two or four channels, each onto the totals `apart` behind those of the one before.
template <class Folder, class P>
void fold_lines(const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t elements, std::int64_t channels, double* totals, std::int64_t apart) {
  const auto fold = [=]<int n>(std::integral_constant<int, n>) {
    for (std::int64_t y = 0; y < rows; ++y) fold_line<n, Folder>(reinterpret_cast<const P*>(src + y * row_bytes), elements, totals + y * apart);
  };
  switch (channels) {
    case 1: return fold(std::integral_constant<int, 1>{});
    case 2: return fold(std::integral_constant<int, 2>{});
    default: return fold(std::integral_constant<int, 4>{});
  }
}

// What is done with one format, behind pointers: kernels have no code for each.
struct Folding {
  decltype(&fold_lines<LineFolder<Least, float>, float>) lines;
  // Others, and columns, by way of a block of accumulators.
  void (*begin)(std::byte* sums, std::int64_t size);
  // Rows of `width` elements onto a block of `size`.
  void (*rows)(const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, std::int64_t size, std::byte* sums);
  // The block onto totals[i % channels].
  void (*end)(std::byte* sums, std::int64_t size, std::int64_t channels, double* totals);
  // The block as totals of columns.
  void (*spread)(const std::byte* sums, std::int64_t size, double* totals);
  double neutral;
  void (*join)(double* totals, const double* more, std::int64_t count);
};
inline constexpr std::int64_t accumulator_bytes = sizeof(double);  // the largest
inline constexpr std::int64_t most_rows = 8192;                    // of 16-bit codes: sums of them, four lanes together, stay below 2^32

template <class Op, class P>
Folding folding_of_type() {
  using T = typename Op::template Accumulator<P>;
  return {&fold_lines<LineFolder<Op, P>, P>, [](std::byte* sums, std::int64_t size) { std::fill_n(reinterpret_cast<T*>(sums), size, Op::template neutral<T>); },
          [](const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, std::int64_t size, std::byte* sums) {
            const std::int64_t stride = row_bytes / static_cast<std::int64_t>(sizeof(P));
            const auto* p = reinterpret_cast<const P*>(src);
            auto* s = reinterpret_cast<T*>(sums);
            std::int64_t y = 0;
            for (; y + 8 <= rows; y += 8) fold_rows<8, Op>(p + y * stride, stride, width, size, s);
            for (; y < rows; ++y) fold_rows<1, Op>(p + y * stride, stride, width, size, s);
          },
          [](std::byte* sums, std::int64_t size, std::int64_t channels, double* totals) {
            auto* s = reinterpret_cast<T*>(sums);
            // Halves onto each other, while steps and pixels stay whole.
            for (; size > 16 * channels && size / 2 % channels == 0 && size / 2 % step_of<Op, P> == 0; size /= 2)
              for (std::int64_t i = 0; i < size / 2; ++i) s[i] = Op::of(s[i], s[i + size / 2]);
            for (std::int64_t i = 0; i < size; i += channels)
              for (std::int64_t c = 0; c < channels; ++c) totals[c] = Op::of(totals[c], static_cast<double>(s[place<Op, P>(i + c, size)]));
          },
          [](const std::byte* sums, std::int64_t size, double* totals) {
            const auto* s = reinterpret_cast<const T*>(sums);
            std::int64_t x = 0;
            if constexpr (is_parted<Op, P>) {
              constexpr std::int64_t half = step_of<Op, P> / 2;
              for (; x + 2 * half <= size; x += 2 * half)
                for (std::int64_t i = 0; i < half; ++i) {
                  totals[x + 2 * i] = static_cast<std::int32_t>(s[x + i]);
                  totals[x + 2 * i + 1] = static_cast<std::int32_t>(s[x + half + i]);
                }
            }
            for (; x < size; ++x) totals[x] = static_cast<double>(s[x]);
          },
          Op::template neutral<double>,
          [](double* totals, const double* more, std::int64_t count) {
            for (std::int64_t i = 0; i < count; ++i) totals[i] = Op::of(totals[i], more[i]);
          }};
}
template <class Op>
Folding folding_of(DType t) {
  return visit_pixels(t, []<class P>(P) { return folding_of_type<Op, P>(); });
}

// What plans of sums and extremes share: the part that is read, and where results go.
class RegionPlan : public CpuPlan {
 public:
  RegionPlan(const image::RegionKernel& k, const Call& call, image::Extent size, double per_value)
      : window_(k.source_window(call.inputs[0])), results_(image::results_window(k, call.outputs[0], size)) {
    const Layout& src = call.inputs[0];
    channels_ = src.channels();
    pixel_bytes_ = src.stride[2];
    factor_ = per_value / static_cast<double>(unit_of(src.dtype));
    has_lines_ = channels_ == 1 || channels_ == 2 || channels_ == 4;
    block_ = channels_ * (channels_ <= 16 ? 64 : 16);
  }

 protected:
  static constexpr std::int64_t piece_bytes = 1 << 18;

  const std::byte* source(const View& src, std::int64_t image, std::int64_t y) const {
    return src.row<const std::byte>(image, window_.y + y) + window_.x * pixel_bytes_;
  }
  // Memory of fold_row, of each thread.
  std::int64_t sums_bytes() const { return has_lines_ ? 0 : block_ * accumulator_bytes; }
  // Rows onto totals, as fold_lines.
  void fold(const Folding& f, const std::byte* p, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, std::byte* sums, double* totals, std::int64_t apart) const {
    if (has_lines_) return f.lines(p, row_bytes, rows, width * channels_, channels_, totals, apart);
    for (std::int64_t y = 0; y < rows; ++y) fold_row(f, p + y * row_bytes, width, sums, totals + y * apart);
  }
  void fold_row(const Folding& f, const std::byte* p, std::int64_t width, std::byte* sums, double* totals) const {
    const std::int64_t elements = width * channels_, element_bytes = pixel_bytes_ / channels_;
    const std::int64_t most = most_rows * block_, block_bytes = block_ * element_bytes;
    for (std::int64_t x = 0; x < elements; x += most, p += most * element_bytes) {
      const std::int64_t some = std::min(elements - x, most), rows = some / block_;
      f.begin(sums, block_);
      f.rows(p, block_bytes, rows, block_, block_, sums);
      if (some % block_) f.rows(p + rows * block_bytes, block_bytes, 1, some % block_, block_, sums);
      f.end(sums, block_, channels_, totals);
    }
  }
  // Totals of codes to storage, `count` elements from pixel (x, y) of the results on. `memory` holds as many floats.
  void write(const View& dst, std::int64_t image, std::int64_t x, std::int64_t y, const double* totals, std::int64_t count, float* memory) const {
    for (std::int64_t i = 0; i < count; ++i) memory[i] = static_cast<float>(totals[i] * factor_);
    const DType t = dst.layout.dtype;
    from_float(memory, t, dst.row<std::byte>(image, results_.y + y) + (results_.x * channels_ + x) * dst.layout.element_bytes(), count, unit_of(t));
  }

  image::Window window_, results_;
  std::int64_t channels_ = 0, pixel_bytes_ = 0, block_ = 0;
  bool has_lines_ = false;
  double factor_ = 0;
};

class RowReducePlan : public RegionPlan {
 public:
  template <class K>
  RowReducePlan(const K& k, const Call& call, const Folding& folding, bool is_mean)
      : RegionPlan(k, call, k.extent(call.inputs[0]), is_mean ? 1 / static_cast<double>(k.source_window(call.inputs[0]).width) : 1), folding_(folding) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    // Results of some rows are written together where they lie side by side.
    constexpr std::int64_t most = 64;
    const std::int64_t rows = dst.layout.row_bytes() == channels_ * dst.layout.element_bytes() ? most : 1;
    // Long pieces: each is a stream that hardware foresees.
    const std::int64_t all = src.layout.images() * window_.height, grain = std::max(piece_bytes / (window_.width * pixel_bytes_) + 1, all / (4 * num_threads()));
    parallel_for(all, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(sums_bytes() + most * channels_ * 12));
      auto* totals = memory.as<double>(static_cast<std::size_t>(sums_bytes()));
      for (std::int64_t task = begin, n; task < end; task += n) {
        const std::int64_t image = task / window_.height, y = task % window_.height;
        n = std::min({rows, window_.height - y, end - task});
        std::fill_n(totals, n * channels_, folding_.neutral);
        fold(folding_, source(src, image, y), src.layout.row_bytes(), n, window_.width, memory.as<std::byte>(), totals, channels_);
        write(dst, image, 0, y, totals, n * channels_, reinterpret_cast<float*>(totals + most * channels_));
      }
    });
  }

 private:
  Folding folding_;
};

class ColumnReducePlan : public RegionPlan {
 public:
  template <class K>
  ColumnReducePlan(const K& k, const Call& call, const Folding& folding, bool is_mean)
      : RegionPlan(k, call, k.extent(call.inputs[0]), is_mean ? 1 / static_cast<double>(k.source_window(call.inputs[0]).height) : 1), folding_(folding) {
    const std::int64_t elements = window_.width * channels_, bytes = pixel_bytes_ / channels_;
    strip_ = std::min<std::int64_t>(elements, 2048);
    strips_ = (elements + strip_ - 1) / strip_;
    piece_ = std::min(window_.height, std::clamp<std::int64_t>(2 * piece_bytes / (strip_ * bytes), 128, most_rows));  // fewer rows: their totals are too much memory
    pieces_ = (window_.height + piece_ - 1) / piece_;
    grain_ = piece_bytes / (piece_ * strip_ * bytes) + 1;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t images = src.layout.images(), elements = window_.width * channels_, bytes = pixel_bytes_ / channels_;
    const Scratch all(static_cast<std::size_t>(images * pieces_ * elements) * sizeof(double));
    auto totals_of = [&](std::int64_t image, std::int64_t piece, std::int64_t x) { return all.as<double>() + (image * pieces_ + piece) * elements + x; };
    parallel_for(images * pieces_ * strips_, grain_, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(strip_ * accumulator_bytes));
      auto* sums = memory.as<std::byte>();
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t x = task % strips_ * strip_, piece = task / strips_ % pieces_, image = task / strips_ / pieces_;
        const std::int64_t width = std::min(strip_, elements - x), y = piece * piece_;
        double* totals = totals_of(image, piece, x);
        folding_.begin(sums, width);
        folding_.rows(source(src, image, y) + x * bytes, src.layout.row_bytes(), std::min(piece_, window_.height - y), width, width, sums);
        folding_.spread(sums, width, totals);
      }
    });
    parallel_for(images * strips_, 16 / pieces_ + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(strip_) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / strips_, x = task % strips_ * strip_, width = std::min(strip_, elements - x);
        double* totals = totals_of(image, 0, x);
        for (std::int64_t piece = 1; piece < pieces_; ++piece) folding_.join(totals, totals_of(image, piece, x), width);
        write(dst, image, x, 0, totals, width, memory.as<float>());
      }
    });
  }

 private:
  Folding folding_;
  std::int64_t strip_, strips_, piece_, pieces_, grain_;
};

// Statistics of all pixels, one result pixel beside the other.
template <std::size_t count>
class StatisticsPlan : public RegionPlan {
 public:
  template <class K>
  StatisticsPlan(const K& k, const Call& call, const std::array<Folding, count>& foldings, bool is_mean)
      : RegionPlan(k, call, k.extent(call.inputs[0]), 1), foldings_(foldings) {
    if (is_mean) factor_ /= static_cast<double>(window_.width) * static_cast<double>(window_.height);
    const Layout& src = call.inputs[0];
    if (window_.width * pixel_bytes_ == src.row_bytes()) window_ = {0, window_.y, window_.width * window_.height, 1};  // one long row
    // A row is cut where it is long.
    piece_width_ = std::min(window_.width, std::max<std::int64_t>(64, piece_bytes / pixel_bytes_ / 64 * 64));
    piece_height_ = std::clamp<std::int64_t>(piece_bytes / (piece_width_ * pixel_bytes_), 1, window_.height);
    across_ = (window_.width + piece_width_ - 1) / piece_width_;
    pieces_ = across_ * ((window_.height + piece_height_ - 1) / piece_height_);
    grain_ = piece_bytes / (2 * piece_width_ * piece_height_ * pixel_bytes_) + 1;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t images = src.layout.images(), values = static_cast<std::int64_t>(count) * channels_;
    std::vector<double> all(static_cast<std::size_t>(images * pieces_ * values));
    parallel_for(images * pieces_, grain_, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(sums_bytes()));
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t x = i % pieces_ % across_ * piece_width_, y = i % pieces_ / across_ * piece_height_;
        const std::int64_t width = std::min(piece_width_, window_.width - x), height = std::min(piece_height_, window_.height - y);
        double* totals = all.data() + i * values;
        for (std::size_t f = 0; f < count; ++f) std::fill_n(totals + static_cast<std::int64_t>(f) * channels_, channels_, foldings_[f].neutral);
        const std::byte* p = source(src, i / pieces_, y) + x * pixel_bytes_;
        const std::int64_t row_bytes = src.layout.row_bytes();
        if (both_ && has_lines_) both_(p, row_bytes, height, width * channels_, channels_, totals, 0);
        else if (count == 1) fold(foldings_[0], p, row_bytes, height, width, memory.as<std::byte>(), totals, 0);
        else
          for (std::int64_t r = 0; r < height; ++r)
            for (std::size_t f = 0; f < count; ++f)
              fold(foldings_[f], p + r * row_bytes, 0, 1, width, memory.as<std::byte>(), totals + static_cast<std::int64_t>(f) * channels_, 0);
      }
    });
    std::vector<float> floats(static_cast<std::size_t>(values));
    for (std::int64_t image = 0; image < images; ++image) {
      double* totals = all.data() + image * pieces_ * values;
      for (std::int64_t piece = 1; piece < pieces_; ++piece)
        for (std::size_t f = 0; f < count; ++f) {
          double* joined = totals + static_cast<std::int64_t>(f) * channels_;
          foldings_[f].join(joined, joined + piece * values, channels_);
        }
      write(dst, image, 0, 0, totals, values, floats.data());
    }
  }

 protected:
  decltype(Folding::lines) both_ = nullptr;  // onto both foldings at once

 private:
  std::array<Folding, count> foldings_;
  std::int64_t piece_width_, piece_height_, across_, pieces_, grain_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
