#pragma once
#include "cpu/image/chosen.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// The source of a tile and what is wanted of it: `height` rows of `count` elements, each the median of diameter^2 elements whose first
// lies at its own place.
template <class T>
struct MedianRows {
  T* data;
  std::int64_t pitch, channels, diameter, height, count;
  const T* centre(std::int64_t y) const { return data + (y + diameter / 2) * pitch + diameter / 2 * channels; }
};

template <class V>
MPSKIT_INLINE void order(V& a, V& b) {
  const V low = lower(a, b);
  b = upper(a, b);
  a = low;
}
template <class V>
MPSKIT_INLINE V middle(V a, V b, V c) {
  order(a, b);
  return upper(a, lower(b, c));
}
// Five in order, by nine comparisons.
template <class V>
MPSKIT_INLINE void order_five(V (&v)[5]) {
  order(v[0], v[1]);
  order(v[3], v[4]);
  order(v[2], v[4]);
  order(v[2], v[3]);
  order(v[0], v[3]);
  order(v[0], v[2]);
  order(v[1], v[4]);
  order(v[1], v[3]);
  order(v[1], v[2]);
}
// The smallest to the front and the largest to the back.
template <class V>
MPSKIT_INLINE void part_extremes(V* v, int n) {
  for (int i = 0; i < n / 2; ++i) order(v[i], v[n - 1 - i]);
  const int low = (n + 1) / 2, high = n / 2;  // [0, low) holds the smallest, [high, n) the largest
  for (int i = 1; i < low; ++i) order(v[0], v[i]);
  for (int i = high; i < n - 1; ++i) order(v[i], v[n - 1]);
}
// The median of an odd number of elements: of a little more than half of them the extremes cannot be it, so both make room for
// one more, until three are left. `v` holds count / 2 + 2; next() gives the others.
template <class V, class Next>
MPSKIT_INLINE V select_middle(V* v, int count, Next next) {
  int n = count / 2 + 2;
  for (int left = count - n; left > 0; --left) {
    part_extremes(v, n);
    ++v;
    --n;
    v[n - 1] = next();
  }
  return middle(v[0], v[1], v[2]);
}

// Columns are put in order once for all windows that share them: `columns` takes three rows.
template <class T>
void median_of_three(const MedianRows<T>& r, T* to, T* columns) {
  using V = Vec<T>;
  T *low = columns, *mid = columns + r.pitch, *high = mid + r.pitch;
  const std::int64_t c = r.channels;
  for (std::int64_t y = 0; y < r.height; ++y) {
    const T* p = r.data + y * r.pitch;
    for (std::int64_t x = 0; x < r.count + 2 * c; x += lanes<T>) {
      V v0 = load<V>(p + x), v1 = load<V>(p + r.pitch + x), v2 = load<V>(p + 2 * r.pitch + x);
      order(v0, v1);
      order(v1, v2);
      order(v0, v1);
      store(low + x, v0);
      store(mid + x, v1);
      store(high + x, v2);
    }
    for (std::int64_t x = 0; x < r.count; x += lanes<T>) {
      auto at = [=](const T* row, int i) { return load<V>(row + x + i * c); };
      const V most_low = upper(upper(at(low, 0), at(low, 1)), at(low, 2)), least_high = lower(lower(at(high, 0), at(high, 1)), at(high, 2));
      store(to + y * r.pitch + x, middle(most_low, middle(at(mid, 0), at(mid, 1), at(mid, 2)), least_high));
    }
  }
}

// The same with columns of five. When rows of ordered columns are put in order too, an element stands above and below so many others that
// only thirteen of the twenty-five can be the middle one; the rest of that work falls away.
template <class T>
void median_of_five(const MedianRows<T>& r, T* to, T* columns) {
  using V = Vec<T>;
  const std::int64_t c = r.channels;
  for (std::int64_t y = 0; y < r.height; ++y) {
    const T* p = r.data + y * r.pitch;
    for (std::int64_t x = 0; x < r.count + 4 * c; x += lanes<T>) {
      V v[5];
      for (int j = 0; j < 5; ++j) v[j] = load<V>(p + j * r.pitch + x);
      order_five(v);
      for (int j = 0; j < 5; ++j) store(columns + j * r.pitch + x, v[j]);
    }
    for (std::int64_t x = 0; x < r.count; x += lanes<T>) {
      V v[13];
      int n = 0;
      auto take = [&]<int row, int first, int last>(std::integer_sequence<int, row, first, last>) __attribute__((always_inline)) {
        V w[5];
        for (int i = 0; i < 5; ++i) w[i] = load<V>(columns + row * r.pitch + x + i * c);
        order_five(w);
        for (int i = first; i <= last; ++i) v[n++] = w[i];
      };
      take(std::integer_sequence<int, 0, 3, 4>{});
      take(std::integer_sequence<int, 4, 0, 1>{});
      take(std::integer_sequence<int, 1, 2, 4>{});
      take(std::integer_sequence<int, 3, 0, 2>{});
      take(std::integer_sequence<int, 2, 1, 3>{});
      V some[13];
      for (int i = 0; i < 13; ++i) some[i] = v[i];
      int taken = 8;
      store(to + y * r.pitch + x, select_middle(some, 13, [&] { return v[taken++]; }));
    }
  }
}

// A little more than half of the window in memory, any diameter.
template <class T>
void median_by_selection(const MedianRows<T>& r, T* to) {
  using V = Vec<T>;
  V held[13 * 13];
  const int d = static_cast<int>(r.diameter), all = d * d;
  for (std::int64_t y = 0; y < r.height; ++y)
    for (std::int64_t x = 0; x < r.count; x += lanes<T>) {
      const T* row = r.data + y * r.pitch + x;
      int i = 0;
      auto next = [&] {
        const V v = load<V>(row + i * r.channels);
        if (++i == d) {
          i = 0;
          row += r.pitch;
        }
        return v;
      };
      for (int n = 0; n < all / 2 + 2; ++n) held[n] = next();
      store(to + y * r.pitch + x, select_middle(held, all, next));
    }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
