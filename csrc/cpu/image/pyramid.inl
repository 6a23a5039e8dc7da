#pragma once
// What both directions of a pyramid are made of: sums of weighted rows, even and odd pixels apart.
#include "cpu/image/fetch.inl"
#include "cpu/simd/every_other.inl"
#include "cpu/simd/streams.inl"
#include "kernels/common/pyramid_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// A window as a sum of products: a column of weights, for the window's rows from `first` on, times a row of them.
struct PyramidTerm {
  std::int64_t first;
  std::vector<float> down, across;
};
struct PyramidWindow {
  std::int64_t width, height;
  std::vector<PyramidTerm> terms;
};
inline PyramidWindow pyramid_window(std::string_view kernel, const image::PyramidKernel& k) {
  if (!k.weights) {
    const std::vector<float> taps = k.taps();
    return {5, 5, {{0, taps, taps}}};
  }
  const image::WindowValues w = k.window(kernel);
  PyramidWindow window{w.width, w.height, {}};
  if (auto product = image::product_of(w)) window.terms.push_back({0, std::move(product->down), std::move(product->across)});
  else
    for (std::int64_t j = 0; j < w.height; ++j) {
      const auto row = w.values.subspan(static_cast<std::size_t>(j * w.width), static_cast<std::size_t>(w.width));
      window.terms.push_back({j, {1.0f}, {row.begin(), row.end()}});
    }
  return window;
}

// Rows and their weights, and the sum of them.
template <class P>
struct WeighedRows {
  std::int64_t count = 0;
  std::array<const P*, 255> rows;
  std::array<float, 255> weights;
  void add(const P* row, float weight) {
    rows[static_cast<std::size_t>(count)] = row;
    weights[static_cast<std::size_t>(count++)] = weight;
  }
};
template <class P, int n>  // 0: as many as there are
class RowSum {
 public:
  explicit RowSum(const WeighedRows<P>& r) {
    for (std::size_t i = 0; i < n; ++i) {
      rows_[i] = r.rows[i];
      weights_[i] = r.weights[i] - Vec<float>{};
    }
  }
  MPSKIT_INLINE Vec<float> operator()(std::int64_t x) const {
    return sum([&](const P* row) __attribute__((always_inline)) { return load_pixels(row + x); });
  }
  MPSKIT_INLINE Vec<float> operator()(std::int64_t x, std::int64_t some) const {
    return sum([&](const P* row) __attribute__((always_inline)) { return load_pixels(row + x, some); });
  }

 private:
  template <class Load>
  MPSKIT_INLINE Vec<float> sum(Load load) const {
    Vec<float> s = weights_[0] * load(rows_[0]);
#pragma GCC unroll 8
    for (std::size_t i = 1; i < n; ++i) s = multiply_add(weights_[i], load(rows_[i]), s);
    return s;
  }
  std::array<const P*, n> rows_;
  std::array<Vec<float>, n> weights_;
};
template <class P>
class RowSum<P, 0> {
 public:
  explicit RowSum(const WeighedRows<P>& r) : r_(r) {}
  MPSKIT_INLINE Vec<float> operator()(std::int64_t x) const {
    return sum([&](const P* row) __attribute__((always_inline)) { return load_pixels(row + x); });
  }
  MPSKIT_INLINE Vec<float> operator()(std::int64_t x, std::int64_t some) const {
    return sum([&](const P* row) __attribute__((always_inline)) { return load_pixels(row + x, some); });
  }

 private:
  template <class Load>
  MPSKIT_INLINE Vec<float> sum(Load load) const {
    Vec<float> s{};
    for (std::int64_t begin = 0; begin < r_.count; begin += 16) {  // sums of sums: few roundings each
      Vec<float> part{};
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(std::min(r_.count, begin + 16)); ++i)
        part = multiply_add(broadcast(&r_.weights[i]), load(r_.rows[i]), part);
      s += part;
    }
    return s;
  }
  const WeighedRows<P>& r_;
};
// f(sum) for these rows; those numbers of them that are `usual` have code of their own.
template <int... usual, class P, class F>
MPSKIT_INLINE void with_sum(const WeighedRows<P>& rows, F&& f) {
  const bool is_usual = ((rows.count == usual && (f(RowSum<P, usual>(rows)), true)) || ...);
  if (!is_usual) f(RowSum<P, 0>(rows));
}

// f(integral_constant) of the channels that registers can split and merge; 0 for the others.
template <class F>
MPSKIT_INLINE void visit_channels(std::int64_t channels, F&& f) {
  switch (channels) {
    case 1: return f(std::integral_constant<int, 1>{});
    case 2: return f(std::integral_constant<int, 2>{});
    case 4: return f(std::integral_constant<int, 4>{});
    default: return f(std::integral_constant<int, 0>{});
  }
}

namespace pyramid {
template <int c, int half, std::size_t... i>
MPSKIT_INLINE Vec<float> in_turn(Vec<float> a, Vec<float> b, std::index_sequence<i...>) {  // pixels of a and b
  constexpr int from = half * lanes<float> / 2;
  return __builtin_shufflevector(a, b, (from + static_cast<int>(i) / (2 * c) * c + static_cast<int>(i) % c + static_cast<int>(i) / c % 2 * lanes<float>)...);
}
}  // namespace pyramid

// Even and odd pixels of two registers.
template <int c>
MPSKIT_INLINE void split_pixels(Vec<float> a, Vec<float> b, Vec<float>& even, Vec<float>& odd) {
  if constexpr (c == lanes<float>) {
    even = a;
    odd = b;
  } else {
    even = every_other<c, 0>(a, b, std::make_index_sequence<lanes<float>>{});
    odd = every_other<c, 1>(a, b, std::make_index_sequence<lanes<float>>{});
  }
}
template <int c>
MPSKIT_INLINE void merge_pixels(Vec<float> even, Vec<float> odd, Vec<float>& a, Vec<float>& b) {
  if constexpr (c == lanes<float>) {
    a = even;
    b = odd;
  } else {
    a = pyramid::in_turn<c, 0>(even, odd, std::make_index_sequence<lanes<float>>{});
    b = pyramid::in_turn<c, 1>(even, odd, std::make_index_sequence<lanes<float>>{});
  }
}

// Room beside a row of floats that loops of whole registers may run into.
inline constexpr std::int64_t pyramid_overrun = 2 * lanes<float>;

// Adds the sum of rows to one of floats.
inline void add_to(float* to, std::int64_t count, const WeighedRows<float>& rows) {
  with_sum<2, 3>(rows, [&](const auto sum) __attribute__((always_inline)) {
    for (std::int64_t x = 0; x < count; x += lanes<float>) store(to + x, load<Vec<float>>(to + x) + sum(x));
  });
}

// body(place, is_odd, copy) for each pixel, `place` among the even or the odd ones. Copies of three elements move four, the last of
// which the next one replaces; rows have room for it.
template <class T, class Body>
MPSKIT_INLINE void copy_pixels(std::int64_t pixels, std::int64_t channels, Body body) {
  const auto each = [&](auto copy) __attribute__((always_inline)) {
    for (std::int64_t p = 0; p < pixels / 2; ++p) {
      body(p, std::false_type{}, copy);
      body(p, std::true_type{}, copy);
    }
    if (pixels % 2) body(pixels / 2, std::false_type{}, copy);
  };
  if (channels == 3) each([](const T* from, T* to) __attribute__((always_inline)) { __builtin_memcpy(to, from, 4 * sizeof(T)); });
  else each([channels](const T* from, T* to) __attribute__((always_inline)) { std::copy_n(from, channels, to); });
}
template <class T>
void split_row(const T* whole, std::int64_t pixels, std::int64_t channels, T* even, T* odd) {
  copy_pixels<T>(pixels, channels, [=](std::int64_t p, auto is_odd, auto copy) __attribute__((always_inline)) {
    copy(whole + (2 * p + is_odd) * channels, (is_odd ? odd : even) + p * channels);
  });
}

// The sum of rows of `pixels`, its even and odd pixels apart. The next ones end `ahead` elements further, which is asked for.
template <int c, class P>
void split_sum(const WeighedRows<P>& rows, std::int64_t ahead, std::int64_t pixels, std::int64_t channels, float* even, float* odd, float* whole) {
  const std::int64_t count = pixels * channels;
  constexpr std::int64_t step = lanes<float>;
  const P *last = rows.rows[static_cast<std::size_t>(rows.count - 1)], *before = rows.rows[static_cast<std::size_t>(std::max<std::int64_t>(rows.count - 2, 0))];
  with_sum<5>(rows, [&](const auto sum) __attribute__((always_inline)) {
    if constexpr (c > 0) {
      Vec<float> e, o;
      std::int64_t x = 0;
      for (; x + 2 * step <= count; x += 2 * step) {
        __builtin_prefetch(last + ahead + x);
        __builtin_prefetch(before + ahead + x);
        split_pixels<c>(sum(x), sum(x + step), e, o);
        store(even + x / 2, e);
        store(odd + x / 2, o);
      }
      if (x < count) {
        const std::int64_t first = std::min(count - x, step), second = count - x - first;
        split_pixels<c>(sum(x, first), second > 0 ? sum(x + step, second) : Vec<float>{}, e, o);
        store(even + x / 2, e);
        store(odd + x / 2, o);
      }
    } else {
      store_run(whole, count, sum, sum);
      split_row(whole, pixels, channels, even, odd);
    }
  });
}

// The same pixels in turn, `pixels` of them.
inline void merge_rows(const float* even, const float* odd, std::int64_t pixels, std::int64_t channels, float* to) {
  visit_channels(channels, [&](auto c) {
    if constexpr (c > 0) {
      for (std::int64_t x = 0; x < pixels * channels; x += 2 * lanes<float>) {
        Vec<float> a, b;
        merge_pixels<c>(load<Vec<float>>(even + x / 2), load<Vec<float>>(odd + x / 2), a, b);
        store(to + x, a);
        store(to + x + lanes<float>, b);
      }
    } else {
      copy_pixels<float>(pixels, channels, [=](std::int64_t p, auto is_odd, auto copy) __attribute__((always_inline)) {
        copy((is_odd ? odd : even) + p * channels, to + (2 * p + is_odd) * channels);
      });
    }
  });
}

// Rows of a picture, all of it or as many at a time as are worth a thread: not a few only where there are many, since neighbours share what they read.
template <class Body>
void each_picture_row(const Layout& l, std::int64_t elements_of_row, Body&& body) {
  const std::int64_t rows = l.images() * l.height(), worth = (1 << 16) / std::max<std::int64_t>(elements_of_row, 1) + 1;
  parallel_for(rows, std::max(worth, std::min<std::int64_t>(16, rows / (4 * num_threads()))), body);
}

// One picture to another of the same shape, by value.
inline void copy_picture(const View& src, const View& dst) {
  if (src.data == dst.data) return;
  const Layout& l = src.layout;
  const std::int64_t count = l.width() * l.channels();
  const bool is_past = is_streamed(dst.layout);
  each_picture_row(l, count, [&](std::int64_t begin, std::int64_t end) {
    const Scratch row(src.layout.dtype == dst.layout.dtype ? 0 : static_cast<std::size_t>(count) * sizeof(float));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = i / l.height(), y = i % l.height();
      const auto *from = src.row<const std::byte>(image, y);
      auto* to = dst.row<std::byte>(image, y);
      if (src.layout.dtype == dst.layout.dtype) {
        stream_bytes(is_past, from, to, count * l.element_bytes());
        continue;
      }
      to_float(l.dtype, from, count, row.as<float>());
      from_float(row.as<float>(), dst.layout.dtype, to, count, unit_of(dst.layout.dtype) / unit_of(l.dtype));
    }
    if (is_past) end_stream();
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
