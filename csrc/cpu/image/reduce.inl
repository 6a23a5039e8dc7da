#pragma once
// Many pixels to few: sums and extremes of rows, of columns, of all. Rows of elements are folded, lane by lane, onto a block of
// accumulators that is whole pixels wide, so channels need no care until the block itself is folded. Codes are added exactly, floats in
// double precision; pieces depend on the layout alone and are joined in order, so the number of threads does not show.
#include "cpu/image/order.inl"
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
      Vec<double> sum = half_of<which>(load_pixels(p));
      for (int r = 1; r < count; ++r) sum += half_of<which>(load_pixels(p + r * stride));
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

// A run of `count` pairs of steps onto the first two steps of the accumulators, which stay in registers.
template <class Op, class P, class T>
void fold_run(const P* p, std::int64_t count, T* sums) {
  constexpr std::int64_t step = step_of<Op, P>;
  if constexpr (is_parted<Op, P>) {
    using W = Vec<std::uint16_t>;
    using L = Vec<std::uint32_t>;
    L even[2], odd[2];
    for (int i = 0; i < 2; ++i) {
      even[i] = load<L>(sums + i * step);
      odd[i] = load<L>(sums + i * step + step / 2);
    }
    constexpr std::int64_t most = sizeof(P) == 1 ? 256 : 1;  // codes that a word holds the sum of
    for (std::int64_t n; count > 0; count -= n) {
      n = std::min(count, most);
      W sum[2] = {};
      for (std::int64_t k = 0; k < n; ++k, p += 2 * step)
        for (int i = 0; i < 2; ++i) {
          if constexpr (sizeof(P) == 1) sum[i] += load_bytes(p + i * step);
          else sum[i] = load<W>(p + i * step);
        }
      for (int i = 0; i < 2; ++i) {
        even[i] += (L)sum[i] & 0xffff;
        odd[i] += (L)sum[i] >> 16;
      }
    }
    for (int i = 0; i < 2; ++i) {
      store(sums + i * step, even[i]);
      store(sums + i * step + step / 2, odd[i]);
    }
  } else if constexpr (Op::adds) {
    Vec<double> sum[4];
    for (int i = 0; i < 4; ++i) sum[i] = load<Vec<double>>(sums + i * lanes<double>);
    for (; count > 0; --count, p += 2 * step)
      for (int i = 0; i < 2; ++i) {
        const Vec<float> v = load_pixels(p + i * step);
        sum[2 * i] += half_of<0>(v);
        sum[2 * i + 1] += half_of<1>(v);
      }
    for (int i = 0; i < 4; ++i) store(sums + i * lanes<double>, sum[i]);
  } else {
    using V = decltype(load_ordered(p));
    V most[2] = {load<V>(sums), load<V>(sums + step)};
    for (; count > 0; --count, p += 2 * step)
      for (int i = 0; i < 2; ++i) most[i] = Op::of(load_ordered(p + i * step), most[i]);
    for (int i = 0; i < 2; ++i) store(sums + i * step, most[i]);
  }
}

// Both extremes of a run in one reading.
template <class P>
void fold_extremes(const std::byte* src, std::int64_t count, std::byte* least, std::byte* greatest) {
  constexpr std::int64_t step = step_of<Least, P>;
  const auto* p = reinterpret_cast<const P*>(src);
  using V = decltype(load_ordered(p));
  auto *low = reinterpret_cast<Ordered<P>*>(least), *high = reinterpret_cast<Ordered<P>*>(greatest);
  V lows[2] = {load<V>(low), load<V>(low + step)}, highs[2] = {load<V>(high), load<V>(high + step)};
  for (; count > 0; --count, p += 2 * step)
    for (int i = 0; i < 2; ++i) {
      const V v = load_ordered(p + i * step);
      lows[i] = lower(v, lows[i]);
      highs[i] = upper(v, highs[i]);
    }
  for (int i = 0; i < 2; ++i) {
    store(low + i * step, lows[i]);
    store(high + i * step, highs[i]);
  }
}

// What is done with one format, behind pointers: kernels have no code for each.
struct Folding {
  void (*begin)(std::byte* sums, std::int64_t size);
  // Rows of `width` elements onto a block of `size`.
  void (*rows)(const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, std::int64_t size, std::byte* sums);
  // Whole runs of `run` elements, where their channels are everywhere the same ones.
  void (*runs)(const std::byte* src, std::int64_t count, std::byte* sums);
  std::int64_t run;
  // The block onto totals[i % channels].
  void (*end)(std::byte* sums, std::int64_t size, std::int64_t channels, double* totals);
  double neutral;
  double (*join)(double a, double b);
};
inline constexpr std::int64_t accumulator_bytes = sizeof(double);  // the largest
inline constexpr std::int64_t most_rows = 8192;                    // of 16-bit codes: sums of them, four lanes together, stay below 2^32

template <class Op, class P>
Folding folding_of_type() {
  using T = typename Op::template Accumulator<P>;
  return {[](std::byte* sums, std::int64_t size) { std::fill_n(reinterpret_cast<T*>(sums), size, Op::template neutral<T>); },
          [](const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, std::int64_t size, std::byte* sums) {
            const std::int64_t stride = row_bytes / static_cast<std::int64_t>(sizeof(P));
            const auto* p = reinterpret_cast<const P*>(src);
            auto* s = reinterpret_cast<T*>(sums);
            std::int64_t y = 0;
            for (; y + 4 <= rows; y += 4) fold_rows<4, Op>(p + y * stride, stride, width, size, s);
            for (; y < rows; ++y) fold_rows<1, Op>(p + y * stride, stride, width, size, s);
          },
          [](const std::byte* src, std::int64_t count, std::byte* sums) { fold_run<Op>(reinterpret_cast<const P*>(src), count, reinterpret_cast<T*>(sums)); },
          2 * step_of<Op, P>,
          [](std::byte* sums, std::int64_t size, std::int64_t channels, double* totals) {
            auto* s = reinterpret_cast<T*>(sums);
            // Halves onto each other, while steps and pixels stay whole.
            for (; size > 16 * channels && size / 2 % channels == 0 && size / 2 % step_of<Op, P> == 0; size /= 2)
              for (std::int64_t i = 0; i < size / 2; ++i) s[i] = Op::of(s[i], s[i + size / 2]);
            for (std::int64_t i = 0; i < size; i += channels)
              for (std::int64_t c = 0; c < channels; ++c) totals[c] = Op::of(totals[c], static_cast<double>(s[place<Op, P>(i + c, size)]));
          },
          Op::template neutral<double>, [](double a, double b) { return Op::of(a, b); }};
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
    has_runs_ = channels_ == 1 || channels_ == 2 || channels_ == 4;
    block_ = channels_ * (has_runs_ ? 128 : channels_ <= 16 ? 64 : 16);
  }

 protected:
  static constexpr std::int64_t piece_bytes = 1 << 18;

  const std::byte* source(const View& src, std::int64_t image, std::int64_t y) const {
    return src.row<const std::byte>(image, window_.y + y) + window_.x * pixel_bytes_;
  }
  // One row onto totals.
  void fold_row(const Folding& f, const std::byte* p, std::int64_t width, std::byte* sums, double* totals) const {
    const std::int64_t elements = width * channels_, element_bytes = pixel_bytes_ / channels_;
    const std::int64_t most = has_runs_ ? most_rows * 16 : most_rows * block_;  // 16: the shortest run
    for (std::int64_t x = 0; x < elements; x += most) {
      f.begin(sums, block_);
      fold_some(f, p + x * element_bytes, std::min(elements - x, most), sums);
      f.end(sums, block_, channels_, totals);
    }
  }
  void fold_some(const Folding& f, const std::byte* p, std::int64_t elements, std::byte* sums) const {
    if (has_runs_) {
      const std::int64_t count = elements / f.run, done = count * f.run;
      f.runs(p, count, sums);
      if (done < elements) f.rows(p + done * pixel_bytes_ / channels_, 0, 1, elements - done, block_, sums);
      return;
    }
    const std::int64_t rows = elements / block_, bytes = block_ * pixel_bytes_ / channels_;
    f.rows(p, bytes, rows, block_, block_, sums);
    if (elements % block_) f.rows(p + rows * bytes, bytes, 1, elements % block_, block_, sums);
  }
  // Totals of codes to storage, `count` elements from pixel (x, y) of the results on. `memory` holds as many floats.
  void write(const View& dst, std::int64_t image, std::int64_t x, std::int64_t y, const double* totals, std::int64_t count, float* memory) const {
    for (std::int64_t i = 0; i < count; ++i) memory[i] = static_cast<float>(totals[i] * factor_);
    const DType t = dst.layout.dtype;
    from_float(memory, t, dst.row<std::byte>(image, results_.y + y) + (results_.x * channels_ + x) * dst.layout.element_bytes(), count, unit_of(t));
  }

  image::Window window_, results_;
  std::int64_t channels_ = 0, pixel_bytes_ = 0, block_ = 0;
  bool has_runs_ = false;
  double factor_ = 0;
};

class RowReducePlan : public RegionPlan {
 public:
  template <class K>
  RowReducePlan(const K& k, const Call& call, const Folding& folding, bool is_mean)
      : RegionPlan(k, call, k.extent(call.inputs[0]), is_mean ? 1 / static_cast<double>(k.source_window(call.inputs[0]).width) : 1), folding_(folding) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    parallel_for(src.layout.images() * window_.height, piece_bytes / (window_.width * pixel_bytes_) + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(block_ * accumulator_bytes + channels_ * 16));
      auto* totals = memory.as<double>(static_cast<std::size_t>(block_ * accumulator_bytes));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / window_.height, y = task % window_.height;
        std::fill_n(totals, channels_, folding_.neutral);
        fold_row(folding_, source(src, image, y), window_.width, memory.as<std::byte>(), totals);
        write(dst, image, 0, y, totals, channels_, reinterpret_cast<float*>(totals + channels_));
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
    piece_ = std::min(window_.height, std::clamp<std::int64_t>(2 * piece_bytes / (strip_ * bytes), 16, most_rows));
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
        std::fill_n(totals, width, folding_.neutral);
        folding_.end(sums, width, width, totals);
      }
    });
    parallel_for(images * strips_, 16 / pieces_ + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(strip_) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / strips_, x = task % strips_ * strip_, width = std::min(strip_, elements - x);
        double* totals = totals_of(image, 0, x);
        for (std::int64_t piece = 1; piece < pieces_; ++piece) {
          const double* more = totals_of(image, piece, x);
          for (std::int64_t i = 0; i < width; ++i) totals[i] = folding_.join(totals[i], more[i]);
        }
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
    const std::int64_t most = std::max<std::int64_t>(1, piece_bytes / (block_ / channels_ * pixel_bytes_)) * (block_ / channels_);
    piece_width_ = std::min(window_.width, most);
    piece_height_ = std::clamp<std::int64_t>(piece_bytes / (piece_width_ * pixel_bytes_), 1, std::min(window_.height, most_rows / 2));
    across_ = (window_.width + piece_width_ - 1) / piece_width_;
    pieces_ = across_ * ((window_.height + piece_height_ - 1) / piece_height_);
    grain_ = piece_bytes / (2 * piece_width_ * piece_height_ * pixel_bytes_) + 1;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t images = src.layout.images(), values = static_cast<std::int64_t>(count) * channels_;
    std::vector<double> all(static_cast<std::size_t>(images * pieces_ * values));
    parallel_for(images * pieces_, grain_, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(count * static_cast<std::size_t>(block_ * accumulator_bytes));
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t x = i % pieces_ % across_ * piece_width_, y = i % pieces_ / across_ * piece_height_;
        const std::int64_t width = std::min(piece_width_, window_.width - x), height = std::min(piece_height_, window_.height - y);
        double* totals = all.data() + i * values;
        for (std::size_t f = 0; f < count; ++f) std::fill_n(totals + static_cast<std::int64_t>(f) * channels_, channels_, foldings_[f].neutral);
        fold_piece(source(src, i / pieces_, y) + x * pixel_bytes_, src.layout.row_bytes(), width, height, memory.as<std::byte>(), totals);
      }
    });
    std::vector<float> floats(static_cast<std::size_t>(values));
    for (std::int64_t image = 0; image < images; ++image) {
      double* totals = all.data() + image * pieces_ * values;
      for (std::int64_t piece = 1; piece < pieces_; ++piece)
        for (std::int64_t i = 0; i < values; ++i) totals[i] = foldings_[static_cast<std::size_t>(i / channels_)].join(totals[i], totals[piece * values + i]);
      write(dst, image, 0, 0, totals, values, floats.data());
    }
  }

 private:
  void fold_piece(const std::byte* p, std::int64_t row_bytes, std::int64_t width, std::int64_t height, std::byte* sums, double* totals) const {
    auto of = [&](std::size_t f) { return sums + static_cast<std::int64_t>(f) * block_ * accumulator_bytes; };
    const std::int64_t elements = width * channels_, done = both_ && has_runs_ ? elements / foldings_[0].run * foldings_[0].run : 0;
    for (std::size_t f = 0; f < count; ++f) foldings_[f].begin(of(f), block_);
    for (std::int64_t y = 0; y < height; ++y, p += row_bytes) {
      if (done > 0) both_(p, done / foldings_[0].run, of(0), of(count - 1));
      if (done < elements)
        for (std::size_t f = 0; f < count; ++f) fold_some(foldings_[f], p + done * pixel_bytes_ / channels_, elements - done, of(f));
    }
    for (std::size_t f = 0; f < count; ++f) foldings_[f].end(of(f), block_, channels_, totals + static_cast<std::int64_t>(f) * channels_);
  }

 protected:
  void (*both_)(const std::byte* src, std::int64_t runs, std::byte* first, std::byte* second) = nullptr;  // runs onto both foldings at once

 private:
  std::array<Folding, count> foldings_;
  std::int64_t piece_width_, piece_height_, across_, pieces_, grain_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
