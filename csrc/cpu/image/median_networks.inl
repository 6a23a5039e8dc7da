#pragma once
#include "cpu/image/chosen.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// The source of a tile and what is wanted of it: `height` rows of `count` elements, each the median of diameter^2 elements whose first
// lies at its own place.
template <class T>
struct MedianRows {
  const T* data;
  std::int64_t pitch, channels, diameter, height, count;
  const T* centre(std::int64_t y) const { return data + (y + diameter / 2) * pitch + diameter / 2 * channels; }
};

template <class V>
MPSKIT_INLINE void order(V& a, V& b) {
  const V low = lower(a, b);
  b = upper(a, b);
  a = low;
}

// Pairs to put in order one after the other, after which `n` elements are: merge exchange, Knuth, volume 3, algorithm 5.2.2 M.
template <int n>
struct OrderOf {
  int pairs = 0, low[n * n / 2 + 1]{}, high[n * n / 2 + 1]{};
  constexpr OrderOf() {
    int top = 1;
    while (2 * top < n) top *= 2;
    for (int p = top; p > 0; p /= 2)
      for (int q = top, r = 0, d = p;; d = q - p, q /= 2, r = p) {
        for (int i = 0; i < n - d; ++i) {
          if ((i & p) != r) continue;
          low[pairs] = i;
          high[pairs++] = i + d;
        }
        if (q == p) break;
      }
  }
};
template <int n, class V>
MPSKIT_INLINE void order_all(V (&v)[n]) {
  static constexpr OrderOf<n> network;
  [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
    (order(v[network.low[i]], v[network.high[i]]), ...);
  }(std::make_index_sequence<static_cast<std::size_t>(network.pairs)>{});
}

// A square whose columns are in order, then its rows, then its lines from lower left to upper right. Its lines are numbered from the least
// corner on; an element r of line d cannot exceed element r of the next line while lines grow, nor element r - 1 once they shrink. So of most
// elements it is known that more than half of the others lie on one side: they cannot be the median, and as many of them are low as high.
namespace median {
constexpr int length(int n, int d) { return std::min(d + 1, 2 * n - 1 - d); }
constexpr int not_below(int n, int d, int r) {  // so many elements, itself among them
  int count = 0;
  for (; d < 2 * n - 1; ++d) {
    count += length(n, d) - std::max(0, r);
    if (d >= n - 1) --r;
  }
  return count;
}
constexpr bool is_possible(int n, int d, int r) {
  const int half = (n * n + 1) / 2;
  return not_below(n, d, r) <= half && not_below(n, 2 * n - 2 - d, length(n, d) - 1 - r) <= half;
}
constexpr int possible(int n, int d) {
  int count = 0;
  for (int r = 0; r < length(n, d); ++r) count += is_possible(n, d, r);
  return count;
}
constexpr int first(int n, int d) {
  int r = 0;
  while (!is_possible(n, d, r)) ++r;
  return r;
}
constexpr int possible(int n) {
  int count = 0;
  for (int d = 0; d < 2 * n - 1; ++d) count += possible(n, d);
  return count;
}

// The possible elements of lines d, d + 1, ... to `held`.
template <int n, int d = 0, class V>
MPSKIT_INLINE void take_lines(const V (&square)[n][n], V* held) {
  constexpr int some = possible(n, d), count = length(n, d), top = std::max(0, d - n + 1);
  if constexpr (some > 0) {
    V v[count];
    for (int k = 0; k < count; ++k) v[k] = square[top + k][d - top - k];
    order_all(v);
    for (int k = 0; k < some; ++k) held[k] = v[first(n, d) + k];
  }
  if constexpr (d < 2 * n - 2) take_lines<n, d + 1>(square, held + some);
}
template <int n, class V, class T>
MPSKIT_INLINE void take_row(const T* columns, std::int64_t step, V (&row)[n]) {
  for (int k = 0; k < n; ++k) row[k] = load<V>(columns + k * step);
  order_all(row);
}
template <int n, int i = 0, class V, class T>
MPSKIT_INLINE void take_rows(const T* columns, std::int64_t pitch, std::int64_t step, V (&square)[n][n]) {
  if constexpr (n > 5) {
    for (int j = 0; j < n; ++j) take_row(columns + j * pitch, step, square[j]);
  } else {
    take_row(columns + i * pitch, step, square[i]);
    if constexpr (i + 1 < n) take_rows<n, i + 1>(columns, pitch, step, square);
  }
}
}  // namespace median

// Columns are put in order once for all windows that share them: `columns` takes n rows. What the compiler finds to be of no use in the
// unrolled networks falls away. Rows of a register or more are written no further than they go.
template <int n, class T>
void median_of_square(const MedianRows<T>& r, T* to, std::int64_t to_pitch, T* columns, std::int64_t pitch) {
  using V = Vec<T>;
  const std::int64_t c = r.channels;
  for (std::int64_t y = 0; y < r.height; ++y) {
    const T* p = r.data + y * r.pitch;
    for (std::int64_t x = 0; x < r.count + (n - 1) * c; x += lanes<T>) {
      V v[n];
      for (int j = 0; j < n; ++j) v[j] = load<V>(p + j * r.pitch + x);
      __builtin_prefetch(p + n * r.pitch + x);  // hardware does not foresee the next row of a strip, and it does no harm past the last one
      order_all(v);
      for (int j = 0; j < n; ++j) store(columns + j * pitch + x, v[j]);
    }
    for (std::int64_t at = 0; at < r.count; at += lanes<T>) {
      const std::int64_t x = std::max<std::int64_t>(std::min(at, r.count - lanes<T>), 0);
      __builtin_prefetch(to + (y + 1) * to_pitch + x, 1);
      V square[n][n], held[median::possible(n)];
      median::take_rows(columns + x, pitch, c, square);
      median::take_lines(square, held);
      order_all(held);
      store(to + y * to_pitch + x, held[median::possible(n) / 2]);
    }
  }
}

// The same for windows of three, whose rows go first: three of them, each across in order, stay in registers on the way down.
template <class T>
void median_of_three(const MedianRows<T>& r, T* to, std::int64_t to_pitch) {
  using V = Vec<T>;
  constexpr std::int64_t ahead = 256 / sizeof(T);
  const auto middle = [](V a, V b, V c) __attribute__((always_inline)) { return upper(lower(a, b), lower(upper(a, b), c)); };
  for (std::int64_t at = 0; at < r.count; at += lanes<T>) {
    const std::int64_t x = std::max<std::int64_t>(std::min(at, r.count - lanes<T>), 0);
    const T* p = r.data + x;
    V a[3], b[3], c[3];
    const auto take = [&](V(&v)[3]) __attribute__((always_inline)) {
      for (int i = 0; i < 3; ++i) v[i] = load<V>(p + i * r.channels);
      __builtin_prefetch(p + ahead);
      order_all(v);
      p += r.pitch;
    };
    take(a);
    take(b);
    T* out = to + x;
    for (std::int64_t y = 0; y < r.height; ++y, out += to_pitch) {
      take(c);
      __builtin_prefetch(out + ahead, 1);
      store(out, middle(upper(upper(a[0], b[0]), c[0]), middle(a[1], b[1], c[1]), lower(lower(a[2], b[2]), c[2])));
      for (int i = 0; i < 3; ++i) a[i] = b[i], b[i] = c[i];
    }
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
