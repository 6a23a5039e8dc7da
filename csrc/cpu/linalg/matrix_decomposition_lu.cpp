#include "cpu/linalg/lanes.inl"
#include "cpu/linalg/triangular.hpp"
#include "cpu/simd/any.inl"
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;
using I = Vec<std::int32_t>;

I lane_numbers() {
  I out;
  for (int l = 0; l < lanes<float>; ++l) out[l] = l;
  return out;
}
// A panel stands on its side: column j of the matrix is row j of w, so that pivots are looked for, and columns updated, along
// contiguous memory, in whole registers: w.stride leaves room for one behind the last row. What lies there is 0 or NaN, and never a pivot.
constexpr std::int64_t narrow = std::max(8, lanes<float>);  // columns that see each other element by element

// The first of the largest magnitudes of a column from `begin` on: `best` are those of the lanes, and lie in rows `where`. NaN is never
// larger, nor is anything larger than a NaN at `begin`.
std::int64_t first_largest(const float* column, std::int64_t begin, const V& best, const I& where) {
  float most = -1;
  std::int64_t found = begin;
  if (column[begin] != column[begin]) return begin;
  for (int l = 0; l < lanes<float>; ++l)
    if (best[l] > most || (best[l] == most && where[l] < found)) {
      most = best[l];
      found = where[l];
    }
  return found;
}
std::int64_t first_largest(const float* column, std::int64_t m) {
  V best = all(-1);
  I where{}, here = lane_numbers();
  for (std::int64_t i = 0; i < m; i += lanes<float>, here += lanes<float>) {
    const V size = magnitude(load<V>(column + i));
    const I is_larger = size > best;
    best = is_larger ? size : best;
    where = is_larger ? here : where;
  }
  return first_largest(column, 0, best, where);
}

// Column j is divided by its pivot and eliminated from `more` columns behind it. Returns the row of the next pivot.
template <int more>
std::int64_t eliminate(const Block& w, std::int64_t j) {
  const std::int64_t m = w.columns, next = j + 1, begin = next / lanes<float> * lanes<float>;
  float* l = w.row(j);
  const float pivot = l[j];
  if (pivot != 0 && !has_inverse(pivot))
    for (std::int64_t i = next; i < m; ++i) l[i] /= pivot;
  const V scale = all(has_inverse(pivot) ? 1 / pivot : 1);
  V factor[more + 1];
  for (int c = 0; c < more; ++c) factor[c] = all(w.row(next + c)[j]);
  V best = all(-1);
  I where{}, here = static_cast<std::int32_t>(begin) + lane_numbers();
  auto step = [&](std::int64_t i, auto is_first) __attribute__((always_inline)) {
    const I is_below = here > static_cast<std::int32_t>(j) - I{};
    const V old = load<V>(l + i), v = old * scale;
    store(l + i, is_first ? (is_below ? v : old) : v);
#pragma GCC unroll 16
    for (int c = 0; c < more; ++c) {
      float* u = w.row(next + c) + i;
      const V before = load<V>(u);
      V rest = less_product(v, factor[c], before);
      if (is_first) rest = is_below ? rest : before;
      store(u, rest);
      if (c > 0) continue;
      I is_larger = magnitude(rest) > best;
      if (is_first) is_larger &= is_below;
      best = is_larger ? magnitude(rest) : best;
      where = is_larger ? here : where;
    }
    here += lanes<float>;
  };
  if (begin < m) step(begin, std::true_type{});
  for (std::int64_t i = begin + lanes<float>; i < m; i += lanes<float>) step(i, std::false_type{});
  return more == 0 || next >= m ? next : first_largest(w.row(next), next, best, where);
}
template <int more = narrow - 1>
std::int64_t eliminate(const Block& w, std::int64_t j, std::int64_t columns) {
  if constexpr (more > 0)
    if (columns < more) return eliminate<more - 1>(w, j, columns);
  return eliminate<more>(w, j);
}
// At most `narrow` columns. True when a pivot is 0.
bool factor_narrow(const Block& w, std::uint32_t* pivots) {
  bool is_singular = false;
  const std::int64_t n = w.rows;
  std::int64_t p = first_largest(w.row(0), w.columns);
  for (std::int64_t j = 0; j < n; ++j) {
    pivots[j] = static_cast<std::uint32_t>(p);
    if (p != j)
      for (std::int64_t c = 0; c < n; ++c) std::swap(w.row(c)[j], w.row(c)[p]);
    is_singular = is_singular || w.row(j)[j] == 0;
    p = eliminate(w, j, n - 1 - j);
  }
  return is_singular;
}

// Some columns from c on, rows [i, i + registers * lanes): `terms` columns of L are subtracted. A square on the diagonal, whose part of
// L below the diagonal is `lower`, becomes U.
template <int columns, int registers, bool is_square = false>
MPSKIT_INLINE void subtract_columns(const Block& w, std::int64_t c, std::int64_t i, std::int64_t terms, const float* lower = nullptr) {
  V sum[columns][registers];
  const float* u[columns];
#pragma GCC unroll 8
  for (int q = 0; q < columns; ++q) {
    u[q] = w.row(c + q);
    for (int r = 0; r < registers; ++r) sum[q][r] = load<V>(u[q] + i + r * lanes<float>);
  }
  auto subtract = [&](const float* l, auto&& factor) __attribute__((always_inline)) {
    V v[registers];
    for (int r = 0; r < registers; ++r) v[r] = load<V>(l + r * lanes<float>);
#pragma GCC unroll 8
    for (int q = 0; q < columns; ++q) {
      const V f = all(factor(q));
      for (int r = 0; r < registers; ++r) sum[q][r] = less_product(v[r], f, sum[q][r]);
    }
  };
  const float* l = w.data + i;
  for (std::int64_t k = 0; k < terms; ++k, l += w.stride) subtract(l, [&](int q) __attribute__((always_inline)) { return u[q][k]; });
  if constexpr (is_square) {
#pragma GCC unroll 16
    for (int k = 0; k < narrow; ++k)
      subtract(lower + k * narrow, [&](int q) __attribute__((always_inline)) { return sum[q][k / lanes<float>][k % lanes<float>]; });
  }
#pragma GCC unroll 8
  for (int q = 0; q < columns; ++q)
    for (int r = 0; r < registers; ++r) store(w.row(c + q) + i + r * lanes<float>, sum[q][r]);
}

void exchange_elements(const Block& w, const std::uint32_t* pivots, std::int64_t begin, std::int64_t end) {
  for (std::int64_t c = 0; c < w.rows; ++c)
    for (std::int64_t i = begin; i < end; ++i) std::swap(w.row(c)[i], w.row(c)[pivots[i]]);
}
bool factor_panel(const Block& w, std::uint32_t* pivots) {
  const std::int64_t n = w.rows, m = w.columns;
  bool is_singular = false;
  // Below the diagonals of the squares on the diagonal, a column after the other; 0 elsewhere.
  alignas(64) float lower[leaf_order * narrow]{};
  for (std::int64_t begin = 0; begin < n; begin += narrow) {
    const std::int64_t count = std::min(narrow, n - begin);
    exchange_elements(w.part(begin, 0, count, m), pivots, 0, begin);
    each_tile_column(begin, begin + count, [&](auto width, std::int64_t c) {
      constexpr int columns = decltype(width)::value;
      constexpr std::int64_t some = lanes<float>;
      for (std::int64_t i = 0; i < begin; i += narrow) subtract_columns<columns, narrow / some, true>(w, c, i, i, lower + i * narrow);
      std::int64_t i = begin;
      for (; i + 3 * some <= m; i += 3 * some) subtract_columns<columns, 3>(w, c, i, begin);
      for (; i < m; i += some) subtract_columns<columns, 1>(w, c, i, begin);
    });
    is_singular = factor_narrow(w.part(begin, begin, count, m - begin), pivots + begin) || is_singular;
    for (std::int64_t k = 0; k < count; ++k) {
      pivots[begin + k] += static_cast<std::uint32_t>(begin);
      std::copy(w.row(begin + k) + begin + k + 1, w.row(begin + k) + begin + count, lower + (begin + k) * narrow + k + 1);
    }
    exchange_elements(w.part(0, 0, begin, m), pivots, begin, begin + count);
  }
  return is_singular;
}

// What is below its square goes to `below`, unless that is empty.
bool factor_leaf(const Block& a, std::uint32_t* pivots, const Block& below) {
  const std::int64_t m = a.rows, n = a.columns, stride = (m + 15) / 16 * 16 + 16;
  const Scratch scratch(static_cast<std::size_t>(stride * n) * sizeof(float));
  const Block w{scratch.as<float>(), stride, n, m};
  for (std::int64_t j = 0; j < n; ++j) std::fill(w.row(j) + m, w.row(j) + stride, 0.0f);
  turn_block(a, w);
  const bool is_singular = factor_panel(w, pivots);
  turn_block(w.part(0, 0, n, m - below.rows), a);
  if (below.rows > 0) turn_block(w.part(0, n, n, m - n), below);
  return is_singular;
}

// Leaf by leaf. One region of tasks a leaf: strips of what is right of it, and the first of them is the next leaf, which is factored in the
// same task. So one thread is busy with what only one can do, while the others multiply.
constexpr std::int64_t columns_by_leaves = 256;
// What is below a leaf's square is a factor of all strips, and lies by itself: rows a power of two apart would share a few sets of L2, from panel to panel of
// a product. It goes to the matrix at the end, when all interchanges are known.
constexpr std::int64_t below_stride = leaf_order + 16;
bool factor_by_leaves(const Block& a, std::uint32_t* pivots) {
  const std::int64_t m = a.rows, n = a.columns, leaves = (n + leaf_order - 1) / leaf_order;
  auto begin_of = [&](std::int64_t leaf) { return std::min(n, leaf * leaf_order); };
  const Scratch scratch(static_cast<std::size_t>((leaves - 1) * (m - leaf_order) * below_stride) * sizeof(float));
  auto below_of = [&](std::int64_t leaf) -> Block {
    if (leaf + 1 == leaves) return {nullptr, 0, 0, 0};
    return {scratch.as<float>() + leaf * (m - leaf_order) * below_stride, below_stride, m - begin_of(leaf + 1), leaf_order};
  };
  bool is_singular = factor_leaf(a.part(0, 0, m, begin_of(1)), pivots, below_of(0));
  for (std::int64_t leaf = 0; leaf + 1 < leaves; ++leaf) {
    const std::int64_t begin = begin_of(leaf), end = begin_of(leaf + 1), order = end - begin;
    const Block below = below_of(leaf);
    parallel(leaves - leaf - 1, [&](std::int64_t task) {
      const std::int64_t first = begin_of(leaf + 1 + task), columns = begin_of(leaf + 2 + task) - first;
      exchange_rows(a.part(begin, first, m - begin, columns), pivots + begin, 0, order);
      const Block top = a.part(begin, first, order, columns), rest = a.part(end, first, m - end, columns);
      solve_left({a.row(begin) + begin, a.stride, 1, true, true}, top);
      subtract_product(below.factor(), top.factor(), order, rest);
      if (task == 0) is_singular |= factor_leaf(rest, pivots + end, below_of(leaf + 1));
    });
  }
  for (std::int64_t i = leaf_order; i < n; ++i) pivots[i] += static_cast<std::uint32_t>(i / leaf_order * leaf_order);
  parallel_for(leaves - 1, std::max<std::int64_t>(1, 50000 / (leaf_order * n)), [&](std::int64_t from, std::int64_t to) {
    const Scratch room(static_cast<std::size_t>(m) * sizeof(std::int64_t));
    auto* rows = room.as<std::int64_t>();
    for (std::int64_t leaf = from; leaf < to; ++leaf) {
      const Block below = below_of(leaf);
      const std::int64_t end = begin_of(leaf + 1);
      std::iota(rows + end, rows + m, std::int64_t{0});
      for (std::int64_t i = end; i < n; ++i) std::swap(rows[i], rows[pivots[i]]);
      for (std::int64_t i = end; i < m; ++i) std::copy(below.row(rows[i]), below.row(rows[i]) + leaf_order, a.row(i) + begin_of(leaf));
    }
  });
  return is_singular;
}

bool factor(const Block& a, std::uint32_t* pivots) {
  const std::int64_t m = a.rows, n = a.columns;
  if (m == 0 || n == 0) return false;
  if (n > m) {
    const bool is_singular = factor(a.part(0, 0, m, m), pivots);
    const Block rest = a.part(0, m, m, n - m);
    exchange_rows(rest, pivots, 0, m);
    solve_left({a.data, a.stride, 1, true, true}, rest);
    return is_singular;
  }
  // Halves have few leaves each, which leave threads idle; what is larger than the caches is read less often by them.
  if (n <= columns_by_leaves || (n <= 2 * columns_by_leaves && m <= 4 * columns_by_leaves)) return factor_by_leaves(a, pivots);
  const std::int64_t h = half_of(n);
  const Block left = a.part(0, 0, m, h), right = a.part(0, h, m, n - h), top = right.part(0, 0, h, n - h), corner = right.part(h, 0, m - h, n - h);
  bool is_singular = factor(left, pivots);
  exchange_rows(right, pivots, 0, h);
  solve_left({a.data, a.stride, 1, true, true}, top);
  subtract_product(left.part(h, 0, m - h, h).factor(), top.factor(), h, corner);
  is_singular = factor(corner, pivots + h) || is_singular;
  for (std::int64_t i = h; i < n; ++i) pivots[i] += static_cast<std::uint32_t>(h);
  exchange_rows(left, pivots, h, n);
  return is_singular;
}

// ---- one matrix a lane

// Columns [j, j + columns) by the first `done` columns and rows: U above, and what is left below.
template <int columns>
MPSKIT_INLINE void eliminate_lanes(LaneWindow w, std::int64_t j, std::int64_t done, std::int64_t m) {
  each_tile_row(0, done, [&](auto height, std::int64_t i) __attribute__((always_inline)) {
    constexpr int rows = decltype(height)::value;
    LaneTile<rows, columns> t;
    load_tile<rows, columns>(w, i, j, t);
    subtract_lanes<rows, columns>(w, i, w, j, i, t);
    for (int q = 0; q < rows; ++q)
      for (int r = q + 1; r < rows; ++r) {
        const V f = load<V>(w.at(i + r, i + q));
        for (int c = 0; c < columns; ++c) t[r][c] = less_product(f, t[q][c], t[r][c]);
      }
    store_tile<rows, columns>(w, i, j, t);
  });
  each_tile_row(done, m, [&](auto height, std::int64_t i) __attribute__((always_inline)) {
    constexpr int rows = decltype(height)::value;
    LaneTile<rows, columns> t;
    load_tile<rows, columns>(w, i, j, t);
    subtract_lanes<rows, columns>(w, i, w, j, done, t);
    store_tile<rows, columns>(w, i, j, t);
  });
}

// In every lane the first row from j on with the largest magnitude in column j.
MPSKIT_INLINE I pivot_rows(LaneWindow w, std::int64_t j, std::int64_t m) {
  // Even and odd rows apart: each comparison waits for the one before it.
  V best[2]{magnitude(load<V>(w.at(j, j))), all(-1)};
  I where[2]{static_cast<std::int32_t>(j) - I{}, static_cast<std::int32_t>(j) - I{}};
  auto look = [&](std::int64_t i, int half) __attribute__((always_inline)) {
    const V other = magnitude(load<V>(w.at(i, j)));
    const I is_larger = other > best[half];
    best[half] = is_larger ? other : best[half];
    where[half] = is_larger ? static_cast<std::int32_t>(i) - I{} : where[half];
  };
  std::int64_t i = j + 1;
  for (; i + 2 <= m; i += 2) {
    look(i, 1);
    look(i + 1, 0);
  }
  if (i < m) look(i, 1);
  // Of equal ones the first; NaN at j is never exchanged.
  const I takes_odd = (best[1] > best[0]) | ((best[1] == best[0]) & (where[1] < where[0]));
  return takes_odd ? where[1] : where[0];
}

// body(what divides by the pivots): a factor where its inverse loses nothing. By 0 nothing is divided.
template <class F>
MPSKIT_INLINE void divide_by_pivot(V pivot, F&& body) {
  const V divisor = pivot == 0 ? all(1) : pivot, size = magnitude(divisor), inverse = 1 / divisor;
  const I has_inverse = (size > 0x1p-100f) & (size < 0x1p100f);
  if (!any(~has_inverse)) return body([&](V v) __attribute__((always_inline)) { return v * inverse; });
  body([&](V v) __attribute__((always_inline)) { return has_inverse ? v * inverse : v / divisor; });
}

// Columns [j0, j0 + columns), to which nothing was done but the interchanges. Lanes with a pivot of 0, as -1.
template <int columns>
MPSKIT_INLINE I factor_lane_columns(LaneWindow w, std::int64_t j0, std::int64_t m, std::int64_t n, I* pivots) {
  const std::int64_t done = std::min(j0, m);
  eliminate_lanes<columns>(w, j0, done, m);
  I is_singular{};
  for (std::int64_t j = j0; j < std::min(j0 + columns, m); ++j) {
    pivots[j] = pivot_rows(w, j, m);
    const std::int64_t below = m - j - 1;
    if (any(pivots[j] != static_cast<std::int32_t>(j) - I{})) {
      if (below <= few_lane_rows) {
        exchange_near_lanes(w, j, below, pivots[j], n);
      } else {
        // What is read next goes first: a register has to wait for single elements on their way to the cache.
        exchange_lanes(w, j, pivots[j], j0, j0 + columns);
        exchange_lanes(w, j, pivots[j], 0, j0);
        exchange_lanes(w, j, pivots[j], j0 + columns, n);
      }
    }
    const V pivot = load<V>(w.at(j, j));
    is_singular |= pivot == 0;
    divide_by_pivot(pivot, [&](auto&& divided) __attribute__((always_inline)) {
      for (std::int64_t i = j + 1; i < m; ++i) {
        const V l = divided(load<V>(w.at(i, j)));
        store(w.at(i, j), l);
        for (std::int64_t c = j + 1; c < j0 + columns; ++c) store(w.at(i, c), less_product(l, load<V>(w.at(j, c)), load<V>(w.at(i, c))));
      }
    });
  }
  return is_singular;
}
I factor_lanes(LaneWindow w, std::int64_t m, std::int64_t n, I* pivots) {
  I is_singular{};
  m = std::min(m, lane_order);  // compilers want to know
  n = std::min(n, lane_order);
  each_tile_column(0, n, [&](auto width, std::int64_t j) { is_singular |= factor_lane_columns<decltype(width)::value>(w, j, m, n, pivots); });
  return is_singular;
}

// A small square: each column is in registers once, where the interchanges and steps before its own are made up for.
template <int n>
I factor_small(LaneWindow w, I* pivots) {
  I is_singular{};
#pragma GCC unroll 8
  for (int c = 0; c < n; ++c) {
    V v[n];
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r) v[r] = load<V>(w.at(r, c));
#pragma GCC unroll 8
    for (int j = 0; j < c; ++j) {
      exchange_registers(v, j, pivots[j], j + 1);
#pragma GCC unroll 8
      for (int r = j + 1; r < n; ++r) v[r] = less_product(load<V>(w.at(r, j)), v[j], v[r]);
    }
    V best = magnitude(v[c]);
    I where = c - I{};
#pragma GCC unroll 8
    for (int r = c + 1; r < n; ++r) {
      const I is_larger = magnitude(v[r]) > best;
      best = is_larger ? magnitude(v[r]) : best;
      where = is_larger ? r - I{} : where;
    }
    pivots[c] = where;
    exchange_registers(v, c, where, c + 1);
    is_singular |= v[c] == 0;
    divide_by_pivot(v[c], [&](auto&& divided) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int r = c + 1; r < n; ++r) v[r] = divided(v[r]);
    });
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r) store(w.at(r, c), v[r]);
  }
  // The interchanges behind it, for a column of L.
#pragma GCC unroll 8
  for (int c = 0; c + 2 < n; ++c) {
    V v[n];
#pragma GCC unroll 8
    for (int r = c + 1; r < n; ++r) v[r] = load<V>(w.at(r, c));
#pragma GCC unroll 8
    for (int j = c + 1; j + 1 < n; ++j) exchange_registers(v, j, pivots[j], j + 1);
#pragma GCC unroll 8
    for (int r = c + 1; r < n; ++r) store(w.at(r, c), v[r]);
  }
  return is_singular;
}

// ---- beyond sixteen columns: panels of eight columns with one matrix a lane, where pivots of all are looked for at once; what is right
// of a panel a matrix after the other, where a row is whole registers. So only the eight columns of a panel are exchanged by single elements.

constexpr std::int64_t tall_stride = lane_order;  // floats from row to row of a matrix of a group
struct LaneGroup {
  // A line further apart than a page: rows that are used together would share one set of L1 else.
  alignas(64) float matrix[lanes<float>][lane_order * tall_stride + 16];
  alignas(64) float panel[lane_order * 8 * lanes<float>];
  alignas(64) I pivots[lane_order];
};

// Rows of `registers` times eight floats, of which `columns` are there.
template <int registers>
MPSKIT_INLINE void copy_lane_row(const float* src, std::int64_t columns, float* dst) {
#pragma GCC unroll 4
  for (int r = 0; r < registers; ++r) {
    if (r + 1 < registers || columns == 8 * registers) store(dst + 8 * r, load<Eight>(src + 8 * r));
    else
      for (std::int64_t c = 8 * r; c < columns; ++c) dst[c] = src[c];
  }
}

// Column j of a panel is divided by its pivot and eliminated from `more` columns behind it. Returns the rows of the next pivots.
template <int more>
I eliminate_lane_column(LaneWindow w, std::int64_t j, std::int64_t m) {
  V u[more + 1];
  for (int c = 0; c < more; ++c) u[c] = load<V>(w.at(j, j + 1 + c));
  V best{};
  I where = static_cast<std::int32_t>(j + 1) - I{}, here = where;
  const V pivot = load<V>(w.at(j, j));
  divide_by_pivot(pivot, [&](auto&& divided) __attribute__((always_inline)) {
    auto step = [&](std::int64_t i, auto is_first) __attribute__((always_inline)) {
      float* row = w.at(i, j);
      const V l = divided(load<V>(row));
      store(row, l);
#pragma GCC unroll 8
      for (int c = 0; c < more; ++c) {
        float* p = row + (c + 1) * lanes<float>;
        const V v = less_product(l, u[c], load<V>(p));
        store(p, v);
        if (c > 0) continue;
        if (is_first) {
          best = magnitude(v);
        } else {
          const I is_larger = magnitude(v) > best;
          best = is_larger ? magnitude(v) : best;
          where = is_larger ? here : where;
        }
      }
      here += 1;
    };
    if (j + 1 < m) step(j + 1, std::true_type{});
    for (std::int64_t i = j + 2; i < m; ++i) step(i, std::false_type{});
  });
  return where;
}

// A panel of eight columns, `steps` of which are eliminated.
I factor_lane_panel(LaneWindow w, std::int64_t m, std::int64_t steps, std::int64_t first, I* pivots) {
  I is_singular{}, where = pivot_rows(w, 0, m);
  auto column = [&](auto number) __attribute__((always_inline)) {
    constexpr int j = decltype(number)::value;
    if (j >= steps) return;
    pivots[j] = static_cast<std::int32_t>(first) + where;
    if (any(where != j - I{})) exchange_lanes(w, j, where, 0, 8);
    is_singular |= load<V>(w.at(j, j)) == 0;
    where = eliminate_lane_column<7 - j>(w, j, m);
  };
  [&]<int... j>(std::integer_sequence<int, j...>) __attribute__((always_inline)) { (column(std::integral_constant<int, j>{}), ...); }(std::make_integer_sequence<int, 8>{});
  return is_singular;
}

template <class P>
MPSKIT_INLINE P less_scaled(float l, P u, P c) {
  if constexpr (std::is_same_v<P, V>) return less_product(all(l), u, c);
#if MPSKIT_VECTOR_BYTES >= 32
  else return (P)_mm256_fnmadd_ps(_mm256_set1_ps(l), (__m256)u, (__m256)c);
#else
  else return c - l * u;
#endif
}

// The columns of a register from c on of one matrix: rows [top, top + 8) become U, what is below is reduced by them.
template <class P>
void reduce_columns(float* a, std::int64_t top, std::int64_t c, std::int64_t m) {
  P u[8];
  float* diagonal = a + top * tall_stride + top;
  float* x = a + top * tall_stride + c;
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) u[r] = load<P>(x + r * tall_stride);
#pragma GCC unroll 8
  for (int k = 0; k < 8; ++k)
#pragma GCC unroll 8
    for (int r = k + 1; r < 8; ++r) u[r] = less_scaled(diagonal[r * tall_stride + k], u[k], u[r]);
#pragma GCC unroll 8
  for (int r = 1; r < 8; ++r) store(x + r * tall_stride, u[r]);
  for (std::int64_t i = 8; i < m - top; ++i) {
    const float* l = diagonal + i * tall_stride;
    P sum = load<P>(x + i * tall_stride);
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) sum = less_scaled(l[k], u[k], sum);
    store(x + i * tall_stride, sum);
  }
}

template <int registers>
void factor_group(LaneGroup& g, std::int64_t m, std::int64_t n, const Matrices<const float>& source, const Matrices<float>& result, std::int64_t count, I& is_singular) {
  LaneStarts<float> to;
  LaneStarts<const float> from;
  for (std::int64_t l = 0; l < lanes<float>; ++l) from.p[l] = to.p[l] = g.matrix[l < count ? l : 0];
  for (std::int64_t l = 0; l < count; ++l)
    for (std::int64_t i = 0; i < m; ++i) {
      float* row = g.matrix[l] + i * tall_stride;
      store(row + 8 * (registers - 1), Eight{});
      copy_lane_row<registers>(source.data + l * source.matrix + i * source.row, n, row);
    }
  const LaneWindow panel{g.panel, 8, 1};
  for (std::int64_t j0 = 0; j0 < std::min(m, n); j0 += 8) {
    const std::int64_t rows = m - j0, steps = std::min<std::int64_t>({8, rows, n - j0});
    for (std::int64_t i = 0; i < rows; ++i) interleave(from, (j0 + i) * tall_stride + j0, 0, 8, 8, panel, i);
    is_singular |= factor_lane_panel(panel, rows, steps, j0, g.pivots + j0);
    for (std::int64_t l = 0; l < count; ++l) {
      float* a = g.matrix[l];
      const auto* other = reinterpret_cast<const std::int32_t*>(g.pivots + j0) + l;
      for (std::int64_t j = 0; j < steps; ++j) {
        float *p = a + (j0 + j) * tall_stride, *q = a + other[j * lanes<float>] * tall_stride;
        if (p == q) continue;
#pragma GCC unroll 4
        for (int c = 0; c < 8 * registers; c += lanes<float>) {  // those of the panel too, which are written next
          const V x = load<V>(p + c), y = load<V>(q + c);
          store(p + c, y);
          store(q + c, x);
        }
      }
    }
    for (std::int64_t i = 0; i < rows; ++i) separate(panel, i, 0, 8, to, (j0 + i) * tall_stride + j0);
    for (std::int64_t l = 0; l < count; ++l) {
      const float* next = source.data + (l + lanes<float>) * source.matrix;
      float* later = result.data + (l + lanes<float>) * result.matrix;
      for (std::int64_t i = j0; i < std::min(m, j0 + 8); ++i)
        for (int c = 0; c < 8 * registers; c += 16) {
          __builtin_prefetch(next + i * source.row + c, 0, 2);
          __builtin_prefetch(later + i * result.row + c, 1, 2);
        }
      std::int64_t c = j0 + 8;
      // Wider registers take whole lines.
      constexpr std::int64_t wide = std::max(8, lanes<float>);
      for (; c < n && (wide == 8 || c % wide != 0); c += 8) reduce_columns<Eight>(g.matrix[l], j0, c, m);
      if constexpr (wide > 8)
        for (; c < n; c += wide) reduce_columns<V>(g.matrix[l], j0, c, m);
    }
  }
  for (std::int64_t l = 0; l < count; ++l)
    for (std::int64_t i = 0; i < m; ++i) copy_lane_row<registers>(g.matrix[l] + i * tall_stride, n, result.data + l * result.matrix + i * result.row);
}

class MatrixDecompositionLUPlan final : public CpuPlan {
 public:
  MatrixDecompositionLUPlan(const linalg::MatrixDecompositionLU& k, const Call& call)
      : kernel_(k), problem_(k.problem(call.inputs[0], &call.outputs[0], &call.outputs[1], &call.outputs[2])) {}

  void run(std::span<const View> views) const override {
    const View &source = views[0], &result = views[1];
    const std::int64_t rows = problem_.extent.rows, columns = problem_.extent.columns, first = problem_.batch.first, count = problem_.batch.count;
    auto* status = views[3].vector<std::int32_t>(0);
    const double work = static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(problem_.pivots) / 2;
    if (fits_lanes(std::max(rows, columns), count) && is_in_floats(source) && is_in_floats(result) && is_in_floats(views[2])) {
      for_each_group(count, work, 2 * rows * columns, [&](std::int64_t m, std::int64_t some) { group(views, first + m, some); });
      return;
    }
    for_each_matrix(count, work, [&](std::int64_t m) {
      m += first;
      const auto a = matrices_from<const float>(source, kernel_.source_matrix_origin, m);
      const auto r = matrices_from<float>(result, kernel_.result_matrix_origin, m);
      const Block block{r.data, r.row, rows, columns};
      if (a.data != r.data) copy_block(a.data, a.row, block);
      status[m] = factor(block, views[2].vector<std::uint32_t>(m)) ? linalg::status_singular : linalg::status_success;
    });
  }

 private:
  void group(std::span<const View> views, std::int64_t m, std::int64_t count) const {
    const std::int64_t rows = problem_.extent.rows, columns = problem_.extent.columns;
    const auto a = matrices_from<const float>(views[0], kernel_.source_matrix_origin, m);
    const auto r = matrices_from<float>(views[1], kernel_.result_matrix_origin, m);
    LaneGroup g;
    I is_singular{};
    if (columns > 24) {
      factor_group<4>(g, rows, columns, a, r, count, is_singular);
    } else if (columns > 16) {
      factor_group<3>(g, rows, columns, a, r, count, is_singular);
    } else {
      const LaneWindow w{g.matrix[0], columns, 1};
      interleave_all(a, count, rows, columns, w);
      is_singular = rows == 8 && columns == 8   ? factor_small<8>(w, g.pivots)
                    : rows == 4 && columns == 4 ? factor_small<4>(w, g.pivots)
                                                : factor_lanes(w, rows, columns, g.pivots);
      separate_all(w, rows, columns, r, count);
    }
    // Whatever a register holds is turned as floats are.
    const View& indices = views[2];
    const Matrices<float> p{reinterpret_cast<float*>(indices.vector<std::uint32_t>(m)), vector_floats(indices), 0};
    separate_all({reinterpret_cast<float*>(g.pivots), 0, 1}, 1, problem_.pivots, p, count);
    for (std::int64_t l = 0; l < count; ++l) views[3].vector<std::int32_t>(0)[m + l] = is_singular[l] ? linalg::status_singular : linalg::status_success;
  }

  linalg::MatrixDecompositionLU kernel_;
  linalg::MatrixDecompositionLU::Problem problem_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixDecompositionLU, MatrixDecompositionLUPlan)
