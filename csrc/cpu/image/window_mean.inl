#pragma once
// Means of windows whose weights are boxes, or boxes of boxes, along each axis. The work does not grow with the window: sums of codes slide
// down the rows, which is exact, and are differences of running sums along them; sums of floats are made anew, of what lies in the window
// above a row that all windows of a block share and of what lies below it.
#include "cpu/image/fold.inl"
#include "cpu/image/running_sums.inl"
#include "cpu/image/stencil_passes.inl"
#include "cpu/image/tiles.inl"
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/streams.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Sums as floats: exact where they have at most 24 bits, one rounding above.
MPSKIT_INLINE Vec<float> load_sums(const float* p) { return load<Vec<float>>(p); }
MPSKIT_INLINE Vec<float> load_sums(const std::uint16_t* p) { return load_pixels(p); }
MPSKIT_INLINE Vec<float> load_sums(const std::uint32_t* p) { return __builtin_convertvector(load<Vec<std::int32_t>>(p), Vec<float>); }

// As many elements as a register of T has, as T.
template <class T, class P>
MPSKIT_INLINE Vec<T> load_counts(const P* p) {
  if constexpr (std::is_same_v<T, P>) return load<Vec<T>>(p);
  else if constexpr (sizeof(T) == 4) return (Vec<T>)load_codes(p);
  else return load_bytes(p);
}

#if MPSKIT_VECTOR_BYTES == 64
template <int lanes_up>
MPSKIT_INLINE __m512i moved_up_sixteens(__m512i v) {
  if constexpr (lanes_up == 0) return v;
  else if constexpr (lanes_up >= sixteens) return _mm512_setzero_si512();
  else return _mm512_maskz_alignr_epi64(0xff, v, _mm512_setzero_si512(), 8 - 2 * lanes_up);
}
#endif
// v moved up by `bytes`, zeros below.
template <int bytes, class V>
MPSKIT_INLINE V moved_up_bytes(V v) {
#if MPSKIT_VECTOR_BYTES == 64
  constexpr int whole = bytes / 16;
  const __m512i high = moved_up_sixteens<whole>((__m512i)v);
  if constexpr (bytes % 16 == 0) return (V)high;
  else return (V)_mm512_alignr_epi8(high, moved_up_sixteens<whole + 1>((__m512i)v), 16 - bytes % 16);
#elif MPSKIT_VECTOR_BYTES == 32
  const __m256i below = _mm256_permute2x128_si256((__m256i)v, (__m256i)v, 0x08);
  if constexpr (bytes >= 16) return (V)_mm256_slli_si256(below, bytes - 16);
  else return (V)_mm256_alignr_epi8((__m256i)v, below, 16 - bytes);
#elif MPSKIT_VECTOR_BYTES == 16 && defined(__x86_64__)
  return (V)_mm_slli_si128((__m128i)v, bytes);
#else
  return (V)moved_up<bytes, std::uint8_t>((Vec<std::uint8_t>)v, std::make_index_sequence<lanes<std::uint8_t>>{});
#endif
}

// sums[x] = the sum of from[x - c], from[x - 2 c], ... for x < count; wraps around, as differences do. A register more may be touched.
template <int c, class T, class P>
void run_sums(const P* from, std::int64_t count, T* sums) {
  constexpr int pixels = lanes<T> / c, step = pixels * c, size = c * static_cast<int>(sizeof(T));
  Vec<T> before{};
  for (int i = 0; i < c; ++i) sums[i] = 0;
  for (std::int64_t x = 0; x + c < count; x += step) {
    Vec<T> v = load_counts<T>(from + x);
    if constexpr (pixels > 1) v += moved_up_bytes<size>(v);
    if constexpr (pixels > 2) v += moved_up_bytes<2 * size>(v);
    if constexpr (pixels > 4) v += moved_up_bytes<4 * size>(v);
    if constexpr (pixels > 8) v += moved_up_bytes<8 * size>(v);
    if constexpr (pixels > 16) v += moved_up_bytes<16 * size>(v);
    store(sums + c + x, v + before);
    before += [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
      return __builtin_shufflevector(v, v, (step - c + static_cast<int>(i) % c)...);
    }(std::make_index_sequence<lanes<T>>{});
  }
}
template <class T, class P>
void run_sums(const P* from, std::int64_t count, std::int64_t channels, T* sums) {
  switch (channels) {
    case 1: return run_sums<1>(from, count, sums);
    case 2: return run_sums<2>(from, count, sums);
    case 3: return run_sums<3>(from, count, sums);
    case 4: return run_sums<4>(from, count, sums);
    default:
      std::fill_n(sums, channels, T{});
      for (std::int64_t x = channels; x < count; ++x) sums[x] = static_cast<T>(sums[x - channels] + from[x - channels]);
  }
}

// to[x] = at(x) for x < count: bytes of registers of words. Two registers more may be asked for. Whole lines go past the caches when `is_past`.
template <class At>
MPSKIT_INLINE void store_words(bool is_past, std::uint8_t* to, std::int64_t count, At at) {
  constexpr std::int64_t n = lanes<std::uint16_t>;
  const auto block = [&](std::int64_t x, std::uint8_t* bytes) __attribute__((always_inline)) { store_bytes(bytes, at(x), at(x + n)); };
  if (count < 2 * n) {
    std::uint8_t some[2 * n];
    block(0, some);
    std::memcpy(to, some, static_cast<std::size_t>(count));
    return;
  }
  std::int64_t x = 0;
  if (is_past && reinterpret_cast<std::uintptr_t>(to) % 64 == 0)
    for (; x + 64 <= count; x += 64)
      for (std::int64_t i = x; i < x + 64; i += 2 * n) stream(to + i, bytes_of(at(i), at(i + n)));
  for (; x + 2 * n <= count; x += 2 * n) block(x, to + x);
  if (x < count) block(count - 2 * n, to + count - 2 * n);
}
// Sums of bytes over their number as one product: within a hundredth of a code of the exact value before it is rounded.
struct CodeMean {
  std::uint32_t half, reciprocal;  // each twice
  int shift;
  explicit CodeMean(std::int64_t count) : shift(std::max(static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count - 1))) - 1, 0)) {  // of 2 or more
    half = static_cast<std::uint32_t>(count / 2) * 0x10001u;
    reciprocal = static_cast<std::uint32_t>(((std::int64_t{1} << (17 + shift)) / count + 1) / 2) * 0x10001u;
  }
  template <class... Terms>
  void write(bool is_past, std::int64_t count, std::uint8_t* to, Terms... terms) const {
    const Words add = broadcast_word(&half), times = broadcast_word(&reciprocal);
    store_words(is_past, to, count, [=, by = shift](std::int64_t x) __attribute__((always_inline)) {
      return shifted_down(multiply_high((add + ... + load<Words>(terms + x)), times), by);
    });
  }
};
// The same of 625 bytes in five sums, which have 18 bits together, and two of them 16: a quarter of all tells the code, or the one below, and what is left
// of it modulo 2^16, which one. With F the whole, the quarter is within -1.25 and 0.25 of F / 4, so four times it and 77 is less than F + 312, by 9 at most.
struct WideCodeMean {
  static constexpr std::uint16_t number = 625, quarter_half = 77;
  static constexpr int terms = 5, shift = 7;
  static void write(bool is_past, std::int64_t count, std::uint8_t* to, const std::uint16_t* from, std::int64_t stride) {
    constexpr std::uint32_t reciprocal = (std::uint32_t{1} << (18 + shift)) / number * 0x10001u;
    const Words times = broadcast_word(&reciprocal);
    store_words(is_past, to, count, [=](std::int64_t x) __attribute__((always_inline)) {
      const auto term = [=](std::int64_t i) __attribute__((always_inline)) { return load<Words>(from + x + i * stride); };
      const Words a = term(0) + term(1), b = term(2) + term(3), e = term(4);
      const Words low = multiply_high((upper_mean(a, b) >> 1) + (e >> 2) + quarter_half, times) >> shift;
      return low + ((number / 2 - (a + b + e - low * number)) >> 15);  // one more where more than that, as a signed number, is left
    });
  }
};

// to[x] = from[x] + from[x + stride] + ... , n terms. Four registers more may be touched.
template <class T, class P>
void add_terms(const P* from, std::int64_t count, std::int64_t n, std::int64_t stride, T* to) {
  for (std::int64_t x = 0; x < count; x += 4 * lanes<T>) {
    Vec<T> sum[4];
    for (int k = 0; k < 4; ++k) sum[k] = load_counts<T>(from + x + k * lanes<T>);
    for (std::int64_t i = 1; i < n; ++i)
      for (int k = 0; k < 4; ++k) sum[k] += load_counts<T>(from + x + i * stride + k * lanes<T>);
    for (int k = 0; k < 4; ++k) store(to + x + k * lanes<T>, sum[k]);
  }
}

// The sums of n rows of floats from row y on, for emit(y, sums), which may change them. Windows that begin in one block of n rows share its end:
// they are what it holds below their beginning, in `ends`, of n rows, and what the next block holds above their end. Sums of some terms join the
// others, in `joined`, so few roundings are on each way; those few rows go side by side from end to end, as memory likes it.
inline constexpr std::int64_t down_block = 4 * lanes<float>, few_down = 6;
inline void sum_some(const float* row, std::int64_t row_step, std::int64_t rows, std::int64_t count, bool are_first, bool adds, float* joined, float* to, std::int64_t to_step) {
  using V = Vec<float>;
  for (std::int64_t x = 0; x < count; x += down_block) {
    V part[4]{}, sum[4]{};
    if (!are_first)
      for (int k = 0; k < 4; ++k) sum[k] = load<V>(joined + x + k * lanes<float>);
    const float* p = row + x;
    float* q = to + x;
    for (std::int64_t i = 0; i < rows; ++i, p += row_step, q += to_step)
      for (int k = 0; k < 4; ++k) {
        part[k] += load<V>(p + k * lanes<float>);
        const V all = sum[k] + part[k];
        store(q + k * lanes<float>, adds ? load<V>(q + k * lanes<float>) + all : all);
      }
    for (int k = 0; k < 4; ++k) store(joined + x + k * lanes<float>, sum[k] + part[k]);
  }
}
template <class Emit>
void sum_down(const float* from, std::int64_t from_pitch, std::int64_t rows, std::int64_t count, std::int64_t n, float* ends, float* joined, std::int64_t pitch, Emit emit) {
  std::int64_t together = 2;
  while (together * together < n) ++together;
  for (std::int64_t first = 0; first < rows; first += n, from += n * from_pitch) {
    for (std::int64_t taken = 0; taken < n; taken += together) {
      const std::int64_t y = n - 1 - taken;
      sum_some(from + y * from_pitch, -from_pitch, std::min(together, y + 1), count, taken == 0, false, joined, ends + y * pitch, -pitch);
    }
    emit(first, ends);
    const std::int64_t last = std::min(n, rows - first);
    for (std::int64_t y = 1; y < last; y += together) {
      const std::int64_t some = std::min(together, last - y);
      sum_some(from + (n + y - 1) * from_pitch, from_pitch, some, count, y == 1, true, joined, ends + y * pitch, pitch);
      for (std::int64_t i = y; i < y + some; ++i) emit(first + i, ends + i * pitch);
    }
  }
}

class WindowMeanPlan : public CpuPlan {
 public:
  // Along an axis boxes of `side` elements, `times` of them one after the other.
  struct Axis {
    std::int64_t side, times;
    std::int64_t sum() const { return times == 1 ? side : side * side; }
    std::int64_t reach() const { return times * (side - 1) + 1; }
    std::vector<float> weights() const {  // of a box, or of a box of boxes
      std::vector<float> all;
      for (std::int64_t i = 0; i < reach(); ++i) all.push_back(static_cast<float>(times == 1 ? 1 : std::min(i + 1, reach() - i)));
      return all;
    }
  };

  WindowMeanPlan(const image::UnaryKernel& k, Axis across, Axis down, const Call& call)
      : across_(across), down_(down), code_bits_(bits_of(call.inputs[0].dtype, across.sum() * down.sum())), element_bytes_(code_bits_ ? call.inputs[0].element_bytes() : 4),
        count_(across.sum() * down.sum()), mean_(count_),
        tiles_(k, call, across.reach(), down.reach(), element_bytes_, code_bits_ ? 256 << 10 : 128 << 10, element_bytes_ << 11) {
    is_past_ = is_streamed(call.outputs[0]);
    const bool are_bytes = call.inputs[0].dtype == DType::u8 && call.outputs[0].dtype == DType::u8;
    if (are_bytes && across.times == 2 && across.side == WideCodeMean::terms && count_ == WideCodeMean::number) code_bits_ = 18;
    const auto count = static_cast<double>(count_);
    if (code_bits_ == 0 && across.reach() + down.reach() <= few_reached && across.reach() > 1 && down.reach() > 1)
      direct_ = stencil_plan(k, {{1, down.reach(), down.weights()}, {across.reach(), 1, across.weights()}}, static_cast<float>(1 / count), call);
    factor_ = static_cast<float>(static_cast<double>(unit_of(call.outputs[0].dtype)) / (static_cast<double>(unit_of(call.inputs[0].dtype)) * count));
  }

  void run(std::span<const View> views) const override {
    if (direct_) return direct_->run(views);
    if (code_bits_ == 0) run_floats(views[0], views[1]);
    else if (element_bytes_ == 2) run_codes<std::uint32_t, std::uint32_t, std::uint16_t>(views[0], views[1]);
    else if (code_bits_ < 32) run_codes<std::uint16_t, std::uint16_t, std::uint8_t>(views[0], views[1]);
    else if (down_.sum() * 255 < 1 << 16) run_codes<std::uint32_t, std::uint16_t, std::uint8_t>(views[0], views[1]);
    else run_codes<std::uint32_t, std::uint32_t, std::uint8_t>(views[0], views[1]);
  }

 private:
  static constexpr std::int64_t few = 12;  // terms that are added one by one
  static constexpr std::int64_t few_words = 17;  // words that are added as sums of three and what is left
  static constexpr std::int64_t few_reached = 32;  // places of both axes, of floats, whose products in registers cost less than sums that pass through memory

  // Of the narrowest integers that hold every sum of codes; 0 for floats.
  static int bits_of(DType t, std::int64_t count) {
    if (t != DType::u8 && t != DType::u16) return 0;
    const std::int64_t most = count * (t == DType::u8 ? 255 : 65535);
    return most < (1 << 16) && t == DType::u8 ? 16 : most <= std::numeric_limits<std::int32_t>::max() ? 32 : 0;
  }

  // Floats are read where they lie unless they are halves.
  void run_floats(const View& src, const View& dst) const {
    constexpr std::int64_t room = 4 * lanes<std::uint8_t>;
    const std::int64_t pitch = tiles_.pitch() + room, rows = tiles_.source_rows(), copy_size = rows * tiles_.pitch() + room;
    const std::int64_t sums_rows = down_.side + 2 + (down_.times == 2 ? rows : 0);
    const bool is_element = src.layout.element_bytes() == static_cast<std::int64_t>(sizeof(float));
    const std::int64_t bytes = (rounded_up(copy_size, 16) + (sums_rows + 3) * pitch) * static_cast<std::int64_t>(sizeof(float));
    tiles_.run(dst.layout.images(), bytes, [&](const Tile& tile, const Scratch& memory) {
      float *const copy = memory.as<float>(), *const sums = copy + rounded_up(copy_size, 16), *const along = sums + sums_rows * pitch;
      const auto part = [&](const Tile& t) {
        const float* from = is_element ? tiles_.in_place<float>(src, t, room) : nullptr;
        std::int64_t from_pitch = src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(float));
        if (!from) {
          from_pitch = tiles_.pitch();
          tiles_.load(src, t, copy);
          from = copy;
        }
        const std::int64_t count = t.width * tiles_.channels(), wide = count + (across_.reach() - 1) * tiles_.channels();
        down(from, from_pitch, t.height, wide, sums, pitch, [&](std::int64_t y, float* row) {
          if (y + 2 < t.height && !is_past_) {
            const std::byte* next = tiles_.row(dst, t, y + 2);
            for (std::int64_t b = 0; b < count * dst.layout.element_bytes(); b += 64) __builtin_prefetch(next + b, 1);
          }
          stream_floats(is_past_, across(row, count, along, pitch), dst.layout.dtype, tiles_.row(dst, t, y), count, factor_);
        });
      };
      if (is_element) tiles_.in_parts(src, tile, part);
      else part(tile);
      if (is_past_) end_stream();
    });
  }

  // The first lines of a row to be read, or written: hardware foresees the others, but not where a strip's next row begins.
  template <int is_written>
  static void foresee_first(const void* row) {
    for (std::int64_t b = 0; b < 512; b += 64) __builtin_prefetch(static_cast<const std::byte*>(row) + b, is_written);
  }
  // Sums as T, down the rows as D, of codes P. Columns are added where they lie; what is beside the picture is made of sums.
  template <class T, class D, class P>
  void run_codes(const View& src, const View& dst) const {
    constexpr std::int64_t room = 4 * lanes<std::uint8_t> + 64;
    const std::int64_t pitch = tiles_.pitch() + room, sums_rows = down_.side + 1;
    constexpr std::int64_t size = sizeof(P), sum_size = sizeof(D), row_sizes = 3 * sizeof(T) + sizeof(float);
    const std::int64_t copy_bytes = rounded_up(pitch * size, 64), sums_bytes = rounded_up(sums_rows * pitch * sum_size, 64);
    const std::int64_t bytes = 2 * copy_bytes + sums_bytes + pitch * row_sizes;
    tiles_.run(dst.layout.images(), bytes, [&](const Tile& t, const Scratch& memory) {
      P* const copies[] = {memory.as<P>(), memory.as<P>(static_cast<std::size_t>(copy_bytes))};
      D* const sums = memory.as<D>(static_cast<std::size_t>(2 * copy_bytes));
      T* const along = memory.as<T>(static_cast<std::size_t>(2 * copy_bytes + sums_bytes));
      float* const floats = reinterpret_cast<float*>(along + 3 * pitch);
      const std::int64_t c = tiles_.channels(), count = t.width * c, wide = count + (across_.reach() - 1) * c;
      const Tiles::Inside all = tiles_.inside(src, t);
      const std::int64_t left = all.pixels > 0 ? all.left * c : 0, right = all.pixels > 0 ? all.right * c : 0;
      const auto row = [&](std::int64_t y, P* copy) -> const P* {
        if (const P* p = tiles_.row_in_place<P>(src, t, y, lanes<P>)) return p;
        tiles_.load_row(src, t, y, copy);
        return copy + left;
      };
      D* const inner = sums + rounded_up(left, 64);  // whole lines
      down(row, copies, t.height, wide - left - right, inner, pitch, [&](std::int64_t y) {
        D* const all_sums = inner - left;
        if (y + 1 < t.height) {
          if (const P* p = tiles_.row_in_place<P>(src, t, y + down_.reach(), 0)) foresee_first<0>(p);
          if (!is_past_) foresee_first<1>(tiles_.row(dst, t, y + 1));
        }
        tiles_.fill_sides(all_sums, left, wide - left - right, right);
        std::byte* const to = tiles_.row(dst, t, y);
        if constexpr (std::is_same_v<T, std::uint16_t>)
          if (dst.layout.dtype == DType::u8 && count_ > 1) return put_means(all_sums, count, along, pitch, reinterpret_cast<std::uint8_t*>(to));
        put<P>(src, to, dst.layout.dtype, across(all_sums, count, along, pitch), count, floats);
      });
      if (is_past_) end_stream();
    });
  }

  template <class Emit>
  void down(const float* from, std::int64_t from_pitch, std::int64_t rows, std::int64_t count, float* sums, std::int64_t pitch, Emit emit) const {
    const std::int64_t n = down_.side;
    float *const joined = sums, *const ends = sums + pitch, *const once = ends + n * pitch;
    const auto pass = [=](const float* source, std::int64_t source_pitch, std::int64_t results, auto take) {
      if (n >= few_down) return sum_down(source, source_pitch, results, count, n, ends, joined, pitch, take);
      for (std::int64_t y = 0; y < results; ++y) {
        add_terms(source + y * source_pitch, count, n, source_pitch, ends);
        take(y, ends);
      }
    };
    if (down_.times == 1) return pass(from, from_pitch, rows, emit);
    pass(from, from_pitch, rows + n - 1, [=](std::int64_t y, const float* row) { std::copy_n(row, count, once + y * pitch); });
    pass(once, pitch, rows, emit);
  }
  // row(y, copy) is `count` elements; what was emitted lies in the first row of sums.
  template <class T, class P, class Row, class Emit>
  void down(Row row, P* const (&copies)[2], std::int64_t rows, std::int64_t count, T* sums, std::int64_t pitch, Emit emit) const {
    const std::int64_t n = down_.side;
    for (std::int64_t i = 0; i < (down_.times == 1 ? 1 : n + 1); ++i) std::fill_n(sums + i * pitch, count + lanes<T>, T{});
    const auto add_first = [&](T* to) {
      for (std::int64_t i = 0; i < n; ++i) {
        const P* const in = row(i, copies[0]);
        for (std::int64_t x = 0; x < count; x += lanes<T>) store(to + x, load<Vec<T>>(to + x) + load_counts<T>(in + x));
      }
    };
    if (down_.times == 1) {
      for (std::int64_t y = 0; y < rows; ++y) {
        if (y == 0) {
          add_first(sums);
        } else {
          const P *in = row(y + n - 1, copies[0]), *out = row(y - 1, copies[1]);
          for (std::int64_t x = 0; x < count; x += lanes<T>) store(sums + x, load<Vec<T>>(sums + x) + (load_counts<T>(in + x) - load_counts<T>(out + x)));
        }
        emit(y);
      }
      return;
    }
    T *const twice = sums, *const ring = sums + pitch;  // the last n sums, and theirs
    for (std::int64_t y = 0; y < rows + n - 1; ++y) {
      const T* const before = ring + (y + n - 1) % n * pitch;
      T* const once = ring + y % n * pitch;
      if (y == 0) {
        add_first(once);
        for (std::int64_t x = 0; x < count; x += lanes<T>) store(twice + x, load<Vec<T>>(once + x));
      } else {
        const P *in = row(y + n - 1, copies[0]), *out = row(y - 1, copies[1]);
        for (std::int64_t x = 0; x < count; x += lanes<T>) {
          const Vec<T> sum = load<Vec<T>>(before + x) + (load_counts<T>(in + x) - load_counts<T>(out + x));
          store(twice + x, load<Vec<T>>(twice + x) + (sum - load<Vec<T>>(once + x)));
          store(once + x, sum);
        }
      }
      if (y >= n - 1) emit(y - n + 1);
    }
  }

  // The sums along a row of sums. `rows` takes three of them; for floats `from` is lost.
  template <class T, class D>
  T* across(D* from, std::int64_t count, T* rows, std::int64_t pitch) const {
    const std::int64_t c = tiles_.channels(), n = across_.side;
    if constexpr (std::is_same_v<T, D>)
      if (n == 1) return from;
    if (across_.times == 1) return across_once(from, count, rows, rows + 2 * pitch);
    return across_once(across_once(from, count + (n - 1) * c, rows + pitch, rows + 2 * pitch), count, rows, rows + 2 * pitch);
  }
  template <class T, class D>
  T* across_once(D* from, std::int64_t count, T* to, T* running) const {
    const std::int64_t c = tiles_.channels(), n = across_.side;
    if (n <= few) {
      add_terms(from, count, n, c, to);
    } else if constexpr (std::is_same_v<T, float>) {
      sum_runs(from, count, n, c, to);
    } else {
      run_sums(from, count + n * c, c, running);
      for (std::int64_t x = 0; x < count; x += lanes<T>) store(to + x, load<Vec<T>>(running + x + n * c) - load<Vec<T>>(running + x));
    }
    return to;
  }

  // Means of the sums along a row of words, which are not stored first. `rows` takes three of them.
  void put_means(const std::uint16_t* from, std::int64_t count, std::uint16_t* rows, std::int64_t pitch, std::uint8_t* to) const {
    const std::int64_t c = tiles_.channels(), n = across_.side;
    if (across_.times == 2 && n > 1) {
      from = across_once(from, count + (n - 1) * c, rows + pitch, rows + 2 * pitch);
      if (code_bits_ == 18) return WideCodeMean::write(is_past_, count, to, from, c);
    }
    if (n > few_words) return mean_.write(is_past_, count, to, across_once(from, count, rows, rows + 2 * pitch));
    std::array<const std::uint16_t*, 7> terms;
    std::size_t some = 0;
    std::int64_t done = 0;
    if (n > 5) {
      for (std::int64_t x = 0; x < count + (n / 3 - 1) * 3 * c; x += lanes<std::uint16_t>)
        store(rows + x, load<Words>(from + x) + load<Words>(from + x + c) + load<Words>(from + x + 2 * c));
      for (; done + 3 <= n; done += 3) terms[some++] = rows + done * c;
    }
    for (; done < n; ++done) terms[some++] = from + done * c;
    const auto write = [&]<std::size_t... i>(std::index_sequence<i...>) {
      mean_.write(is_past_, count, to, terms[i]...);
      return true;
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) { ((some == i + 1 && write(std::make_index_sequence<i + 1>{})) || ...); }(std::make_index_sequence<7>{});
  }

  template <class P, class T>
  void put(const View& src, std::byte* to, DType t, T* sums, std::int64_t count, float* floats) const {
    if (t == src.layout.dtype) return store_run(reinterpret_cast<P*>(to), count, [=, this](std::int64_t x) { return load_sums(sums + x) * factor_; });
    for (std::int64_t x = 0; x < count; x += lanes<float>) store(floats + x, load_sums(sums + x));
    from_float(floats, t, to, count, factor_);
  }

  Axis across_, down_;
  int code_bits_;
  bool is_past_;
  std::unique_ptr<CpuPlan> direct_;
  std::int64_t element_bytes_, count_;
  CodeMean mean_;
  Tiles tiles_;
  float factor_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
