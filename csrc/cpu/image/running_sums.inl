#pragma once
// Sums of everything above and to the left. Bands of rows go side by side: their own sums come first, then what lies above each
// band is known. Codes are added exactly, in int32 while the total fits, otherwise as float64, which also takes floats; the bands
// of these do not depend on the number of threads, so neither does the rounding. Exact sums are the same in any order: threads take
// a strip of columns each where rows are long enough, for which only the sums of the rows to the left come first.
#include "cpu/image/tiles.inl"
#include "cpu/simd/halves.inl"
#include "cpu/simd/streams.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class T>
using FourOf [[gnu::vector_size(4 * sizeof(T))]] = T;

// v moved up by `by` elements, zeros below.
template <int by, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> moved_up(Vec<T> v, std::index_sequence<i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(Vec<T>{}, v, (static_cast<int>(i) < by ? static_cast<int>(i) : n + static_cast<int>(i) - by)...);
}
// The same in each lane of 128 bits by itself.
template <int by, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> moved_up_in_lanes(Vec<T> v, [[maybe_unused]] std::index_sequence<i...>) {
#if MPSKIT_VECTOR_BYTES == 64  // GCC 12 makes permutations of two registers of the shuffle, whose indices it loads anew each time
  return (Vec<T>)_mm512_bslli_epi128((__m512i)v, by * sizeof(T));
#elif MPSKIT_VECTOR_BYTES == 32
  return (Vec<T>)_mm256_bslli_epi128((__m256i)v, by * sizeof(T));
#else
  constexpr int n = lanes<T>, whole = 16 / sizeof(T);
  return __builtin_shufflevector(Vec<T>{}, v, (static_cast<int>(i) % whole < by ? static_cast<int>(i) : n + static_cast<int>(i) - by)...);
#endif
}
// The last pixel of `c` elements below, in every second group of `groups` lanes of 128 bits; zeros in the others.
template <int c, int groups, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> carried(Vec<T> v, std::index_sequence<i...>) {
  constexpr int n = lanes<T>, size = groups * 16 / static_cast<int>(sizeof(T));
  const auto from = [](int j) constexpr { return j / size * size - c + j % c; };
#if MPSKIT_VECTOR_BYTES == 64
  constexpr auto odd = static_cast<unsigned>(((std::uint64_t{static_cast<int>(i) / size % 2} << i) | ...));
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm512_maskz_permutexvar_epi32(static_cast<__mmask16>(odd), (__m512i)Vec<std::int32_t>{(from(static_cast<int>(i)) & (n - 1))...}, (__m512i)v);
  else return (Vec<T>)_mm512_maskz_permutexvar_epi64(static_cast<__mmask8>(odd), (__m512i)Vec<std::int64_t>{(from(static_cast<int>(i)) & (n - 1))...}, (__m512i)v);
#else
  return __builtin_shufflevector(Vec<T>{}, v, (static_cast<int>(i) / size % 2 ? n + from(static_cast<int>(i)) : static_cast<int>(i))...);
#endif
}
template <int c, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> last_of(Vec<T> v, std::index_sequence<i...>) {
  return __builtin_shufflevector(v, v, (lanes<T> - c + static_cast<int>(i) % c)...);
}
// Of pixels of `c` elements, which lanes hold a whole number of.
template <int c, class T>
MPSKIT_INLINE Vec<T> sums_within(Vec<T> v) {
  constexpr auto all = std::make_index_sequence<lanes<T>>{};
  constexpr int whole = 16 / sizeof(T);
  if constexpr (c < whole) v += moved_up_in_lanes<c, T>(v, all);
  if constexpr (2 * c < whole) v += moved_up_in_lanes<2 * c, T>(v, all);
  if constexpr (lanes<T> > whole && c <= whole) v += carried<c, 1, T>(v, all);
  if constexpr (lanes<T> > 2 * whole && c <= 2 * whole) v += carried<c, 2, T>(v, all);
  return v;
}

// As many lanes of T as a register of T has, from floats or bytes.
template <class T>
MPSKIT_INLINE Vec<T> load_as(const float* p) {
  if constexpr (std::is_same_v<T, std::int32_t>) return __builtin_convertvector(load<Vec<float>>(p), Vec<T>);
  else return load_half_of<0>(p);
}
template <class T>
MPSKIT_INLINE Vec<T> load_as(const std::uint8_t* p) {
  if constexpr (std::is_same_v<T, std::int32_t>) return load_codes(p);
  else return half_of<0>(load_pixels(p));
}
template <class T>
MPSKIT_INLINE FourOf<T> load_four_as(const float* p) {
#if MPSKIT_VECTOR_BYTES >= 32  // GCC makes two conversions of the plain one
  if constexpr (std::is_same_v<T, double>) return (FourOf<T>)_mm256_cvtps_pd(_mm_loadu_ps(p));
#endif
  return __builtin_convertvector(load<FourOf<float>>(p), FourOf<T>);
}
template <class T>
MPSKIT_INLINE FourOf<T> load_four_as(const std::uint8_t* p) {
  return FourOf<T>{static_cast<T>(p[0]), static_cast<T>(p[1]), static_cast<T>(p[2]), static_cast<T>(p[3])};
}

// Sums as floats: one rounding of a float64 product.
MPSKIT_INLINE Vec<float> sums_as_floats(Vec<std::int32_t> v, double factor) { return __builtin_convertvector(v, Vec<float>) * (static_cast<float>(factor) - Vec<float>{}); }
MPSKIT_INLINE HalfFloats sums_as_floats(Vec<double> v, double factor) { return narrowed(v * factor); }
template <class T>
MPSKIT_INLINE void store_sums(float* to, Vec<T> v, double factor) {
  store(to, sums_as_floats(v, factor));
}
template <class T>
MPSKIT_INLINE void stream_sums(float* to, Vec<T> v, double factor) {
  const auto floats = sums_as_floats(v, factor);
#if defined(__x86_64__)
  if constexpr (sizeof floats == 16) return _mm_stream_ps(to, (__m128)floats);
#endif
#if MPSKIT_VECTOR_BYTES > 16
  if constexpr (sizeof floats == 32) return _mm256_stream_ps(to, (__m256)floats);
#endif
  if constexpr (sizeof floats > 32) stream(to, floats);
  else store(to, floats);
}

// Everything of a row, onto the totals of its `c` channels.
template <class T, bool is_squared, class P>
void sum_row(const P* row, std::int64_t pixels, std::int64_t c, T* totals) {
  auto value = [](auto v) { return is_squared ? v * v : v; };
  const std::int64_t count = pixels * c;
  std::int64_t x = 0;
  if (lanes<T> % c == 0) {
    Vec<T> sums[2] = {};
    for (; x + 2 * lanes<T> <= count; x += 2 * lanes<T>)
      for (int i = 0; i < 2; ++i) sums[i] += value(load_as<T>(row + x + i * lanes<T>));
    sums[0] += sums[1];
    for (int i = 0; i < lanes<T>; ++i) totals[i % c] += sums[0][i];
  }
  for (; x < count; ++x) totals[x % c] += value(static_cast<T>(row[x]));
}

// sums[x] += everything of the row up to x, and what lies `left` of it in each channel. `row` and the sums may be touched a register past their ends. The first `count`
// sums, whole registers, become floats at `out` too while they are at hand, where pixels are whole registers; tells how many did.
template <class T, bool is_squared, class P>
std::int64_t add_row(const P* row, std::int64_t pixels, std::int64_t c, const T* left, T* sums, float* out, std::int64_t count, double factor, bool is_past) {
  auto value = [](auto v) { return is_squared ? v * v : v; };
  auto by_registers = [&]<int n>(std::integral_constant<int, n>) {
    Vec<T> before;
    for (int i = 0; i < lanes<T>; ++i) before[i] = left[i % n];
    auto next = [&](std::int64_t x) __attribute__((always_inline)) {
      const Vec<T> v = sums_within<n, T>(value(load_as<T>(row + x))), sum = load<Vec<T>>(sums + x) + (v + before);
      store(sums + x, sum);
      before += last_of<n, T>(v, std::make_index_sequence<lanes<T>>{});
      return sum;
    };
    std::int64_t x = 0;
    if (is_past && reinterpret_cast<std::uintptr_t>(out) % 64 == 0)
      for (; x < count; x += lanes<T>) stream_sums<T>(out + x, next(x), factor);
    for (; x < count; x += lanes<T>) {
      ask_ahead(out + x);
      store_sums<T>(out + x, next(x), factor);
    }
    for (; x < pixels * n; x += lanes<T>) next(x);
    return count;
  };
  if (c == 1) {
    return by_registers(std::integral_constant<int, 1>{});
  } else if (lanes<T> >= 4 && c == 4) {
    return by_registers(std::integral_constant<int, lanes<T> >= 4 ? 4 : 1>{});
  } else if (c <= 4) {  // a pixel at a time; lanes without a channel are overwritten by the next pixel, whose sums are at hand by then
    FourOf<T> before{}, above = load<FourOf<T>>(sums);
    for (int i = 0; i < c; ++i) before[i] = left[i];
    for (std::int64_t x = 0; x < pixels * c; x += c) {
      before += value(load_four_as<T>(row + x));
      const FourOf<T> sum = above + before;
      above = load<FourOf<T>>(sums + x + c);
      store(sums + x, sum);
    }
  } else {
    for (std::int64_t i = 0; i < c; ++i) {
      T before = left[i];
      for (std::int64_t x = i; x < pixels * c; x += c) {
        before += value(static_cast<T>(row[x]));
        sums[x] += before;
      }
    }
  }
  return 0;
}

template <bool is_squared>
class RunningSumsPlan : public CpuPlan {
 public:
  RunningSumsPlan(const image::UnaryKernel& k, const Call& call)
      : edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)) {
    const DType from = call.inputs[0].dtype;
    channels_ = call.inputs[0].channels();
    const double unit = static_cast<double>(unit_of(from)), each = is_squared ? unit * unit : unit;
    factor_ = static_cast<double>(unit_of(call.outputs[0].dtype)) / each;
    is_exact_ = from == DType::u8 || from == DType::u16;
    is_narrow_ = is_exact_ && each * static_cast<double>(window_.width) * static_cast<double>(window_.height) < 0x1p31;
  }

  void run(std::span<const View> views) const override {
    if (is_narrow_ && views[0].layout.dtype == DType::u8) run_in<std::int32_t, std::uint8_t>(views[0], views[1]);
    else if (is_narrow_) run_in<std::int32_t, float>(views[0], views[1]);
    else run_in<double, float>(views[0], views[1]);
  }

 private:
  static constexpr std::int64_t band = 64, narrowest = 1024;  // rows; elements of a strip, of whose rows each is a new stream to hardware

  // In sums of T, from rows of P.
  template <class T, class P>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t images = dst.layout.images(), count = window_.width * channels_, pitch = rounded_up(count, 16) + 64;
    const bool is_past = is_streamed(dst.layout), are_strips = is_exact_ && (images >= num_threads() || window_.width * channels_ >= num_threads() * narrowest);
    const std::int64_t rows = are_strips ? window_.height : band, bands = (window_.height + rows - 1) / rows;
    const std::int64_t wanted = are_strips && images < num_threads() ? num_threads() : 1, wide = rounded_up((window_.width + wanted - 1) / wanted, 16);
    const std::int64_t strips = (window_.width + wide - 1) / wide;
    const Scratch starts_memory(static_cast<std::size_t>(images * bands * pitch) * sizeof(T));
    T* const starts = starts_memory.as<T>();  // for each band the sums above it
    const std::int64_t grain = (1 << 16) / (rows * count) + 1;
    const auto bytes = static_cast<std::size_t>(pitch) * (sizeof(float) + sizeof(T));

    for (std::int64_t image = 0; image < images; ++image) std::fill_n(starts + image * bands * pitch, pitch, T{});
    parallel_for(images * (bands - 1), grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(bytes);
      P* rows_memory = memory.as<P>();
      T* columns = memory.as<T>(static_cast<std::size_t>(pitch) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / (bands - 1), b = task % (bands - 1);
        std::fill_n(columns, pitch, T{});
        for (std::int64_t y = b * rows; y < (b + 1) * rows; ++y) {
          const P* row = read(src, image, y, 0, window_.width, rows_memory);
          for (std::int64_t x = 0; x < count; x += lanes<T>) {
            const Vec<T> v = load_as<T>(row + x);
            store(columns + x, load<Vec<T>>(columns + x) + (is_squared ? v * v : v));
          }
        }
        T* start = starts + (image * bands + b + 1) * pitch;
        sum_along(columns, start);
      }
    });
    for (std::int64_t i = 0; i < images; ++i)
      for (std::int64_t b = 2; b < bands; ++b)
        for (std::int64_t x = 0; x < count; ++x) starts[(i * bands + b) * pitch + x] += starts[(i * bands + b - 1) * pitch + x];

    // What lies left of each strip in each row; of the first nothing does, and all rows of one strip share its zeros.
    const std::int64_t left_row = strips > 1 ? strips * channels_ : 0;
    const Scratch left_memory(static_cast<std::size_t>(std::max(channels_, images * window_.height * left_row)) * sizeof(T));
    T* const left = left_memory.as<T>();
    if (strips == 1) std::fill_n(left, channels_, T{});
    else
      parallel_for(images * window_.height, (1 << 16) / count + 1, [&](std::int64_t begin, std::int64_t end) {
        const Scratch memory(bytes);
        for (std::int64_t task = begin; task < end; ++task) {
          T* to = left + task * left_row;
          std::fill_n(to, channels_, T{});
          for (std::int64_t s = 1; s < strips; ++s, to += channels_) {
            std::copy_n(to, channels_, to + channels_);
            sum_row<T, is_squared>(read(src, task / window_.height, task % window_.height, (s - 1) * wide, wide, memory.as<P>()), wide, channels_, to + channels_);
          }
        }
      });

    parallel_for(images * bands * strips, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(bytes);
      float* row = memory.as<float>();
      T* const sums = memory.as<T>(static_cast<std::size_t>(pitch) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t s = task % strips, image = task / strips / bands, first = task / strips % bands * rows;
        const std::int64_t x = s * wide, pixels = std::min(wide, window_.width - x), some = pixels * channels_;
        std::copy_n(starts + task / strips * pitch, pitch, sums);
        for (std::int64_t y = first; y < std::min(first + rows, window_.height); ++y) {
          std::byte* to = dst.row<std::byte>(image, window_.y + y) + (window_.x + x) * channels_ * dst.layout.element_bytes();
          const std::int64_t done =
              add_row<T, is_squared>(read(src, image, y, x, pixels, reinterpret_cast<P*>(row)), pixels, channels_,
                                     left + (image * window_.height + y) * left_row + s * channels_, sums,
                                     reinterpret_cast<float*>(to), dst.layout.dtype == DType::f32 ? some / lanes<float> * lanes<float> : 0, factor_, is_past);
          write(sums, done, some, dst.layout.dtype, to, row);
        }
      }
      if (is_past) end_stream();
    });
  }

  // Pixels [x, x + pixels) of a row of the source: where they lie, when that is what is wanted and a register past its end is still the picture's.
  template <class P>
  const P* read(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, P* row) const {
    constexpr bool is_byte = std::is_same_v<P, std::uint8_t>;
    const Layout& l = src.layout;
    const std::int64_t from_y = shift_y_ + y, from_x = shift_x_ + x;
    if (l.dtype == (is_byte ? DType::u8 : DType::f32) && lie_inside(l, from_y, from_x, pixels) && bytes_from(src, image, from_y, from_x + pixels) >= MPSKIT_VECTOR_BYTES)
      return src.row<const P>(image, from_y) + from_x * channels_;
    if constexpr (is_byte) stored_row<P, P>(src, image, from_y, from_x, pixels, edge_, row);
    else fetch_row(src, image, from_y, from_x, pixels, edge_, row);
    return row;
  }
  template <class T>
  void sum_along(const T* columns, T* sums) const {
    for (std::int64_t x = 0; x < window_.width * channels_; ++x) sums[x] = columns[x] + (x >= channels_ ? sums[x - channels_] : T{});
  }
  // Those behind the first `done` elements, a multiple of registers.
  template <class T>
  void write(const T* sums, std::int64_t done, std::int64_t count, DType t, std::byte* to, float* row) const {
    if (done == count) return;
    for (std::int64_t x = done; x < count; x += lanes<T>) store_sums<T>(row + x, load<Vec<T>>(sums + x), factor_);
    from_float(row + done, t, to + done * static_cast<std::int64_t>(size_of(t)), count - done);
  }

  EdgeMode edge_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_, channels_;
  double factor_;
  bool is_exact_, is_narrow_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
