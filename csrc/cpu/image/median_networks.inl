#pragma once
#include "cpu/image/chosen.inl"
#include "cpu/simd/alpha.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// The source of a tile and what is wanted of it: `height` rows of `count` elements, each the median of diameter^2 elements whose first
// lies at its own place.
template <class T>
struct MedianRows {
  const T* data;
  std::int64_t pitch, channels, diameter, height, count;
  const T* centre(std::int64_t y) const { return data + (y + diameter / 2) * pitch + diameter / 2 * channels; }
};

// v, but for alpha, which passes.
template <class V, class T>
MPSKIT_INLINE V with_alpha(V v, const T* source) {
  return with_alpha_of<T>(v, load<V>(source));
}

// Exchange number i of a network. Minima and maxima of integers as wide as AVX-512's go through one port, comparisons to masks through another, choices
// through both: two exchanges of five by the latter keep both busy, where a caller takes the lower and the upper one.
template <int i, class V>
MPSKIT_INLINE void order(V& a, V& b) {
  const V low = lower(a, b);
#if MPSKIT_VECTOR_BYTES == 64
  using T = std::remove_cvref_t<decltype(a[0])>;
  if constexpr (sizeof(T) == 1 && i % 5 % 2 == 1) {
    const __mmask64 is_in_order = _mm512_cmple_epu8_mask((__m512i)a, (__m512i)b);
    const V high = (V)_mm512_mask_blend_epi8(is_in_order, (__m512i)a, (__m512i)b);
    a = (V)_mm512_mask_blend_epi8(is_in_order, (__m512i)b, (__m512i)a);
    b = high;
    return;
  }
  if constexpr (sizeof(T) == 2 && i % 5 % 2 == 1) {
    const __mmask32 is_in_order = _mm512_cmple_epu16_mask((__m512i)a, (__m512i)b);
    const V high = (V)_mm512_mask_blend_epi16(is_in_order, (__m512i)a, (__m512i)b);
    a = (V)_mm512_mask_blend_epi16(is_in_order, (__m512i)b, (__m512i)a);
    b = high;
    return;
  }
#endif
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
    (order<static_cast<int>(i)>(v[network.low[i]], v[network.high[i]]), ...);
  }(std::make_index_sequence<static_cast<std::size_t>(network.pairs)>{});
}

// Two lists in order, of the elements first, first + step, ... of a and b, become one: odd-even merge, Knuth, volume 3, 5.3.4. Unrolled, exchanges
// whose results nobody takes fall away.
template <int m, int n, int first = 0, int step = 1, class V>
MPSKIT_INLINE void merge_lists(const V* a, const V* b, V (&out)[m + n]) {
  if constexpr (m == 1 && n == 1) {
    out[0] = a[first], out[1] = b[first];
    order<first / step>(out[0], out[1]);
  } else if constexpr (n == 0) {
    static_assert(m == 1);
    out[0] = a[first];
  } else {
    static_assert(m >= n);
    constexpr int odd = (m + 1) / 2 + (n + 1) / 2, even = m / 2 + n / 2;
    V x[odd], y[even];
    merge_lists<(m + 1) / 2, (n + 1) / 2, first, 2 * step>(a, b, x);
    merge_lists<m / 2, n / 2, first + step, 2 * step>(a, b, y);
    out[0] = x[0];
    [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
      ((out[2 * i + 1] = y[i], out[2 * i + 2] = x[i + 1], order<i>(out[2 * i + 1], out[2 * i + 2])), ...);
    }(std::make_integer_sequence<int, std::min(even, odd - 1)>{});
    if constexpr (even == odd) out[m + n - 1] = y[even - 1];
    if constexpr (odd == even + 2) out[m + n - 1] = x[odd - 1];
  }
}

// Medians of squares. A row of windows and the one below share all rows but one each. What a window has of each row is put in order;
// rows 1 and 2, 3 and 4, ... become lists of two rows, which serve n / 2 pairs of windows; and the lists that a pair of windows has in common become
// one, of which only its n + 1 middle elements can be the median of either with the row that is its own: 59 minima and maxima for a window of 25.
template <int n, class T>
struct MedianLists {  // of a register of windows, each kept until it has served its last one
  static constexpr int half = n / 2;
  using V = Vec<T>;
  V single[half + 1][n], pairs[half][2 * n], quads[n == 9 ? 3 : 1][n == 9 ? 4 * n : 1];

  // Middle elements of what windows 2 * b and 2 * b + 1 have in common; step = b + half + 1.
  MPSKIT_INLINE void take_middle([[maybe_unused]] std::int64_t step, V (&middle)[n + 1]) const {
    V all[n * (n - 1)];
    if constexpr (n == 5) {
      merge_lists<2 * n, 2 * n>(pairs[0], pairs[1], all);
    } else if constexpr (n == 7) {
      V four[4 * n];
      merge_lists<2 * n, 2 * n>(pairs[0], pairs[1], four);
      merge_lists<4 * n, 2 * n>(four, pairs[2], all);
    } else {
      merge_lists<4 * n, 4 * n>(quads[(step + 1) % 3], quads[step % 3], all);
    }
    for (int k = 0; k <= n; ++k) middle[k] = all[(n * n + 1) / 2 - n - 1 + k];
  }
  // Of the windows' last row and the next one.
  MPSKIT_INLINE void add(std::int64_t step, const V (&upper_row)[n], const V (&lower_row)[n]) {
    V two[2 * n];
    merge_lists<n, n>(upper_row, lower_row, two);
    if constexpr (n == 9) {
      V four[4 * n];
      merge_lists<2 * n, 2 * n>(pairs[(step + half - 2) % half], two, four);
      std::copy_n(four, 4 * n, quads[(step + 1) % 3]);
    }
    std::copy_n(two, 2 * n, pairs[(step + half - 1) % half]);
    std::copy_n(lower_row, n, single[step % (half + 1)]);
  }
  // Element n of the list of both.
  MPSKIT_INLINE static V median_of(const V (&middle)[n + 1], const V (&row)[n]) {
    V v[n + 1];
    for (int k = 0; k <= n; ++k) v[k] = k ? lower(middle[k], row[n - k]) : middle[k];
#pragma GCC unroll 16
    for (int some = n + 1; some > 1; some = (some + 1) / 2)
      for (int k = 0; k < some / 2; ++k) v[k] = upper(v[k], v[some - 1 - k]);
    return v[0];
  }
};

// Some registers side by side go down together. What the compiler finds to be of no use in the unrolled networks falls away. Rows of a register or
// more are written no further than they go.
template <int n, class T>
void median_of_square(const MedianRows<T>& r, T* to, std::int64_t to_pitch) {
  using V = Vec<T>;
  using Lists = MedianLists<n, T>;
  constexpr std::int64_t together = n == 5 ? 16 : 4, half = n / 2;
  const std::int64_t last = r.height + n - 2;
  Lists lists[together]{};
  const bool has_alpha = r.channels == 4;
  for (std::int64_t begin = 0; begin < r.count; begin += together * lanes<T>) {
    const std::int64_t end = std::min(r.count, begin + together * lanes<T>);
    for (std::int64_t b = -half - 1; 2 * b < r.height; ++b) {
      const std::int64_t y = 2 * b, step = b + half + 1;
      Lists* l = lists;
      for (std::int64_t at = begin; at < end; at += lanes<T>, ++l) {
        const std::int64_t x = std::max<std::int64_t>(std::min(at, r.count - lanes<T>), 0);
        const auto take = [&](std::int64_t i, V(&row)[n]) __attribute__((always_inline)) {
          const T* p = r.data + std::clamp<std::int64_t>(i, 0, last) * r.pitch + x;
          for (int k = 0; k < n; ++k) row[k] = load<V>(p + k * r.channels);
          __builtin_prefetch(p + 4 * r.pitch + (n - 1) * r.channels + lanes<T> - 1);  // hardware does not foresee so many rows
          order_all(row);
        };
        V upper_row[n], lower_row[n];
        take(y + n, upper_row);
        if (b >= 0) {
          V middle[n + 1];
          l->take_middle(step, middle);
          T* const out = to + y * to_pitch + x;
          __builtin_prefetch(out + 2 * to_pitch, 1);
          __builtin_prefetch(out + 3 * to_pitch, 1);
          const auto put = [&](std::int64_t i, const V(&row)[n]) __attribute__((always_inline)) {
            const V v = Lists::median_of(middle, row);
            store(out + i * to_pitch, has_alpha ? with_alpha(v, r.centre(y + i) + x) : v);
          };
          put(0, l->single[step % (half + 1)]);
          if (y + 1 < r.height) put(1, upper_row);
        }
        take(y + n + 1, lower_row);
        l->add(step, upper_row, lower_row);
      }
    }
  }
}

// The same for windows of three: four rows, each across in order, stay in registers on the way down, two rows of results at a time.
template <class T>
void median_of_three(const MedianRows<T>& r, T* to, std::int64_t to_pitch) {
  using V = Vec<T>;
  constexpr std::int64_t ahead = 256 / sizeof(T);
  const bool has_alpha = r.channels == 4;
  for (std::int64_t at = 0; at < r.count; at += lanes<T>) {
    const std::int64_t x = std::max<std::int64_t>(std::min(at, r.count - lanes<T>), 0);
    const T* p = r.data + x;
    V a[3], b[3], c[3], d[3];
    const auto take = [&](V(&v)[3]) __attribute__((always_inline)) {
      for (int i = 0; i < 3; ++i) v[i] = load<V>(p + i * r.channels);
      __builtin_prefetch(p + ahead);
      order_all(v);
      p += r.pitch;
    };
    take(a);
    take(b);
    T* out = to + x;
    for (std::int64_t y = 0; y < r.height; y += 2, out += 2 * to_pitch) {
      take(c);
      const V low = upper(b[0], c[0]), high = lower(b[2], c[2]);
      V first = b[1], second = c[1];
      order<1>(first, second);
      const auto write = [&](const V(&own)[3], const T* centre, T* row) __attribute__((always_inline)) {
        V v = upper(low, own[0]), w = lower(high, own[2]);
        order<0>(v, w);
        v = upper(v, lower(w, upper(first, lower(second, own[1]))));
        __builtin_prefetch(row + ahead, 1);
        store(row, has_alpha ? with_alpha(v, centre) : v);
      };
      write(a, r.centre(y) + x, out);
      if (y + 1 == r.height) break;
      take(d);
      write(d, r.centre(y + 1) + x, out + to_pitch);
      for (int i = 0; i < 3; ++i) a[i] = c[i], b[i] = d[i];
    }
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
