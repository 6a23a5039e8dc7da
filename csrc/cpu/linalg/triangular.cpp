#include "cpu/linalg/triangular.hpp"

#include "cpu/simd/turn.inl"
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;
constexpr std::int64_t side_columns = 2 * lanes<float>;  // right-hand sides of a panel

// A leaf as forward substitution reads it: row i of the lower triangle, negated, from i * leaf_order on. An upper triangle is
// taken from its last row to its first.
struct Leaf {
  alignas(64) float negated[leaf_order * leaf_order];
  float diagonal[leaf_order];
  std::int64_t order;
  bool is_reversed, is_unit;

  Leaf(const Triangle& t, std::int64_t n) : order(n), is_reversed(!t.is_lower), is_unit(t.is_unit) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < i; ++k) negated[i * leaf_order + k] = -*t.at(place(i), place(k));
      if (!is_unit) diagonal[i] = *t.at(place(i), place(i));
    }
  }
  std::int64_t place(std::int64_t i) const { return is_reversed ? order - 1 - i : i; }
};

template <int rows>
MPSKIT_INLINE void substitute_rows(const Leaf& leaf, std::int64_t i, float* panel) {
  const float* a = leaf.negated + i * leaf_order;
  V sum[rows][2];
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < 2; ++c) sum[r][c] = load<V>(panel + (i + r) * side_columns + c * lanes<float>);
  for (std::int64_t k = 0; k < i; ++k) {
    const V x[2]{load<V>(panel + k * side_columns), load<V>(panel + k * side_columns + lanes<float>)};
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const V f = broadcast(a + r * leaf_order + k);
      for (int c = 0; c < 2; ++c) sum[r][c] = multiply_add(f, x[c], sum[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int q = 0; q < r; ++q) {
      const V f = broadcast(a + r * leaf_order + i + q);
      for (int c = 0; c < 2; ++c) sum[r][c] = multiply_add(f, sum[q][c], sum[r][c]);
    }
    for (int c = 0; c < 2; ++c) {
      if (!leaf.is_unit) sum[r][c] /= broadcast(leaf.diagonal + i + r);
      store(panel + (i + r) * side_columns + c * lanes<float>, sum[r][c]);
    }
  }
}
void substitute(const Leaf& leaf, float* panel) {
  std::int64_t i = 0;
  for (; i + 4 <= leaf.order; i += 4) substitute_rows<4>(leaf, i, panel);
  for (; i < leaf.order; ++i) substitute_rows<1>(leaf, i, panel);
}

// Panels of right-hand sides through `body`, on all threads when they are worth it.
template <class F>
void for_each_panel(std::int64_t order, std::int64_t right_hand_sides, F&& body) {
  const std::int64_t panels = (right_hand_sides + side_columns - 1) / side_columns, work = order * order * side_columns / 2;
  parallel_for(panels, std::max<std::int64_t>(1, 500000 / (work + 1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) body(p * side_columns, std::min(side_columns, right_hand_sides - p * side_columns));
  });
}

void leaf_left(const Triangle& t, const Block& x) {
  const Leaf leaf(t, x.rows);
  for_each_panel(x.rows, x.columns, [&](std::int64_t first, std::int64_t some) {
    alignas(64) float panel[leaf_order * side_columns];
    const auto bytes = static_cast<std::size_t>(some) * sizeof(float);
    if (some < side_columns) std::fill(panel, panel + x.rows * side_columns, 0.0f);
    for (std::int64_t i = 0; i < x.rows; ++i) std::memcpy(panel + i * side_columns, x.row(leaf.place(i)) + first, bytes);
    substitute(leaf, panel);
    for (std::int64_t i = 0; i < x.rows; ++i) std::memcpy(x.row(leaf.place(i)) + first, panel + i * side_columns, bytes);
  });
}

void leaf_right(const Triangle& t, const Block& x) {
  const Leaf leaf(t.transposed(), x.columns);
  const std::int64_t n = x.columns;
  for_each_panel(n, x.rows, [&](std::int64_t first, std::int64_t some) {
    alignas(64) float panel[leaf_order * side_columns];
    if (some < side_columns) std::fill(panel, panel + n * side_columns, 0.0f);
    // f(row of x, its place in the panel, column): eight rows and columns at a time, then what is left
    auto turned = [&](auto&& eight, auto&& one) {
      std::int64_t r = 0;
      for (; r + 8 <= some; r += 8) {
        std::int64_t i = 0;
        for (; i + 8 <= n; i += 8) eight(x.row(first + r) + i, r, i);
        for (; i < n; ++i)
          for (std::int64_t q = r; q < r + 8; ++q) one(x.row(first + q)[i], panel[leaf.place(i) * side_columns + q]);
      }
      for (; r < some; ++r)
        for (std::int64_t i = 0; i < n; ++i) one(x.row(first + r)[i], panel[leaf.place(i) * side_columns + r]);
    };
    turned(
        [&](const float* from, std::int64_t r, std::int64_t i) {
          Eight rows[8];
          for (int q = 0; q < 8; ++q) rows[q] = load<Eight>(from + q * x.stride);
          turn(rows);
          for (int q = 0; q < 8; ++q) store(panel + leaf.place(i + q) * side_columns + r, rows[q]);
        },
        [](float& from, float& to) { to = from; });
    substitute(leaf, panel);
    turned(
        [&](float* to, std::int64_t r, std::int64_t i) {
          Eight rows[8];
          for (int q = 0; q < 8; ++q) rows[q] = load<Eight>(panel + leaf.place(i + q) * side_columns + r);
          turn(rows);
          for (int q = 0; q < 8; ++q) store(to + q * x.stride, rows[q]);
        },
        [](float& to, float& from) { to = from; });
  });
}

// One right-hand side: every element of the triangle is used once, from memory, in the order in which it lies there.
float dot(const float* a, const float* x, std::int64_t n) {
  V sum[4]{};
  std::int64_t i = 0;
  for (; i + 4 * lanes<float> <= n; i += 4 * lanes<float>)
    for (int p = 0; p < 4; ++p) sum[p] = multiply_add(load<V>(a + i + p * lanes<float>), load<V>(x + i + p * lanes<float>), sum[p]);
  for (; i + lanes<float> <= n; i += lanes<float>) sum[0] = multiply_add(load<V>(a + i), load<V>(x + i), sum[0]);
  const V all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  float total = 0;
  for (int l = 0; l < lanes<float>; ++l) total += all[l];
  for (; i < n; ++i) total += a[i] * x[i];
  return total;
}
void subtract_scaled(const float* a, float f, float* x, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) store(x + i, multiply_add(load<V>(a + i), -f - V{}, load<V>(x + i)));
  for (; i < n; ++i) x[i] -= a[i] * f;
}
void solve_vector(const Triangle& t, std::int64_t n, float* x) {
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = t.is_lower ? step : n - 1 - step, begin = t.is_lower ? 0 : i + 1, rest = n - 1 - step;
    if (t.column == 1) x[i] -= dot(t.at(i, begin), x + begin, step);
    if (!t.is_unit) x[i] /= *t.at(i, i);
    if (t.column != 1 && rest > 0) subtract_scaled(t.at(t.is_lower ? i + 1 : 0, i), x[i], x + (t.is_lower ? i + 1 : 0), rest);
  }
}

}  // namespace

void subtract_product(const GemmMatrix& a, const GemmMatrix& b, std::int64_t k, const Block& c) {
  Gemm g;
  g.m = c.rows;
  g.n = c.columns;
  g.k = k;
  g.a.matrix = a;
  g.b = b;
  g.c = {c.data, DType::f32, c.stride * static_cast<std::int64_t>(sizeof(float))};
  g.alpha = -1;
  g.beta = 1;
  gemm(g);
}

void solve_left(const Triangle& t, const Block& x) {
  const std::int64_t n = x.rows;
  if (n == 0 || x.columns == 0) return;
  if (x.columns == 1) {
    const Scratch scratch(static_cast<std::size_t>(n) * sizeof(float));
    float* column = scratch.as<float>();
    for (std::int64_t i = 0; i < n; ++i) column[i] = *x.row(i);
    solve_vector(t, n, column);
    for (std::int64_t i = 0; i < n; ++i) *x.row(i) = column[i];
    return;
  }
  if (n <= leaf_order) return leaf_left(t, x);
  const std::int64_t h = half_of(n);
  const Block top = x.part(0, 0, h, x.columns), bottom = x.part(h, 0, n - h, x.columns);
  if (t.is_lower) {
    solve_left(t, top);
    subtract_product(t.block(h, 0), top.factor(), h, bottom);
    solve_left(t.from(h), bottom);
  } else {
    solve_left(t.from(h), bottom);
    subtract_product(t.block(0, h), bottom.factor(), n - h, top);
    solve_left(t, top);
  }
}

void solve_right(const Triangle& t, const Block& x) {
  const std::int64_t n = x.columns;
  if (n == 0 || x.rows == 0) return;
  if (x.rows == 1) return solve_vector(t.transposed(), n, x.row(0));
  if (n <= leaf_order) return leaf_right(t, x);
  const std::int64_t h = half_of(n);
  const Block left = x.part(0, 0, x.rows, h), right = x.part(0, h, x.rows, n - h);
  if (t.is_lower) {
    solve_right(t.from(h), right);
    subtract_product(right.factor(), t.block(h, 0), n - h, left);
    solve_right(t, left);
  } else {
    solve_right(t, left);
    subtract_product(left.factor(), t.block(0, h), h, right);
    solve_right(t.from(h), right);
  }
}

void copy_block(const float* src, std::ptrdiff_t src_stride, const Block& dst, float scale) {
  parallel_for(dst.rows, std::max<std::int64_t>(1, 100000 / (dst.columns + 1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* s = src + i * src_stride;
      float* d = dst.row(i);
      if (scale == 1) std::memmove(d, s, static_cast<std::size_t>(dst.columns) * sizeof(float));
      else
        for (std::int64_t j = 0; j < dst.columns; ++j) d[j] = scale * s[j];
    }
  });
}

void turn_block(const Block& src, const Block& dst) {
  constexpr std::int64_t strip = 32;  // of the longer side
  const bool is_tall = src.rows >= src.columns;
  const std::int64_t length = is_tall ? src.rows : src.columns, strips = (length + strip - 1) / strip;
  parallel_for(strips, std::max<std::int64_t>(1, 50000 / (strip * std::min(src.rows, src.columns) + 1)), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t from = begin * strip, to = std::min(length, end * strip);
    const std::int64_t i_end = is_tall ? to : src.rows, j_begin = is_tall ? 0 : from, j_end = is_tall ? src.columns : to;
    std::int64_t i = is_tall ? from : 0;
    for (; i + 8 <= i_end; i += 8) {
      std::int64_t j = j_begin;
      for (; j + 8 <= j_end; j += 8) {
        Eight rows[8];
        for (int q = 0; q < 8; ++q) rows[q] = load<Eight>(src.row(i + q) + j);
        turn(rows);
        for (int q = 0; q < 8; ++q) store(dst.row(j + q) + i, rows[q]);
      }
      for (; j < j_end; ++j)
        for (std::int64_t q = i; q < i + 8; ++q) dst.row(j)[q] = src.row(q)[j];
    }
    for (; i < i_end; ++i)
      for (std::int64_t j = j_begin; j < j_end; ++j) dst.row(j)[i] = src.row(i)[j];
  });
}

void exchange_rows(const Block& x, const std::uint32_t* pivots, std::int64_t begin, std::int64_t end, bool backwards) {
  // Strips of columns, so that a strip of the rows that meet again and again stays in cache.
  constexpr std::int64_t strip = 256;
  const std::int64_t strips = (x.columns + strip - 1) / strip, work = (end - begin) * strip;
  parallel_for(strips, std::max<std::int64_t>(1, 50000 / (work + 1)), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t from = first * strip, to = std::min(x.columns, last * strip);
    for (std::int64_t step = begin; step < end; ++step) {
      const std::int64_t i = backwards ? begin + end - 1 - step : step, k = pivots[i];
      if (i != k) std::swap_ranges(x.row(i) + from, x.row(i) + to, x.row(k) + from);
    }
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
