#pragma once
// Sums, minima and maxima of runs of elements that lie `stride` apart: the rows of a tile, or its columns, by one loop. Runs of four
// are made of elements, runs of sixteen of those and so on, so the work grows with the logarithm of the run's length, every
// register holds neighbours, and nothing is carried from place to place that could drift.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct Sum {
  template <class V>
  MPSKIT_INLINE V operator()(V a, V b) const { return a + b; }
};

template <int terms, class T, class Op>
void fold_terms(const T* from, std::int64_t count, std::int64_t step, const T* before, T* to, Op op) {
  using V = Vec<T>;
  for (std::int64_t x = 0; x < count; x += lanes<T>) {
    V v = load<V>(from + x);
    for (int i = 1; i < terms; ++i) v = op(v, load<V>(from + x + i * step));
    if (before) v = op(load<V>(before + x), v);
    store(to + x, v);
  }
}
// to[x] = before[x] and from[x], from[x + step], ... `terms` of them. In place too: it goes upwards and reads no lower.
template <class T, class Op>
void fold_few(const T* from, std::int64_t count, std::int64_t terms, std::int64_t step, const T* before, T* to, Op op) {
  switch (terms) {
    case 1: return fold_terms<1>(from, count, step, before, to, op);
    case 2: return fold_terms<2>(from, count, step, before, to, op);
    case 3: return fold_terms<3>(from, count, step, before, to, op);
    case 4: return fold_terms<4>(from, count, step, before, to, op);
    case 5: return fold_terms<5>(from, count, step, before, to, op);
    case 6: return fold_terms<6>(from, count, step, before, to, op);
    default: return fold_terms<7>(from, count, step, before, to, op);
  }
}

// to[x] = a[x] + a[x + stride] + ... , n terms, for x < count. Leaves its own sums in `a`, which has count + (n - 1) * stride elements;
// both may be touched up to two registers past their ends.
template <class T>
void sum_runs(T* a, std::int64_t count, std::int64_t n, std::int64_t stride, T* to) {
  const T* before = nullptr;
  std::int64_t span = 1, done = 0, left = count + (n - 1) * stride;  // of a: elements hold `span` terms each, so many are good
  for (; (n - done) / span > 7; span *= 4) {
    if (const std::int64_t few = (n - done) / span % 4) {
      fold_few(a + done * stride, count, few, span * stride, before, to, Sum{});
      before = to;
      done += few * span;
    }
    left -= 3 * span * stride;
    fold_few(a, left, 4, span * stride, static_cast<const T*>(nullptr), a, Sum{});
  }
  fold_few(a + done * stride, count, (n - done) / span, span * stride, before, to, Sum{});
}

// The same for an operation that may meet an element twice, as minimum and maximum may; the result lies in `a`.
template <class T, class Op>
void fold_runs(T* a, std::int64_t count, std::int64_t n, std::int64_t stride, Op op) {
  std::int64_t span = 1, left = count + (n - 1) * stride;
  for (; n > 7 * span; span *= 4) {
    left -= 3 * span * stride;
    fold_few(a, left, 4, span * stride, static_cast<const T*>(nullptr), a, op);
  }
  const std::int64_t whole = n / span;
  if (n % span) {
    // The last run overlaps its neighbour.
    left = count + (n - whole * span) * stride;
    fold_few(a, left, whole, span * stride, static_cast<const T*>(nullptr), a, op);
    fold_few(a, count, 2, (n - whole * span) * stride, static_cast<const T*>(nullptr), a, op);
  } else {
    fold_few(a, count, whole, span * stride, static_cast<const T*>(nullptr), a, op);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
