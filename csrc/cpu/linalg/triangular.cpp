#include "cpu/linalg/triangular.hpp"

#include "cpu/simd/transpose.inl"
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;
constexpr std::int64_t side_columns = 2 * lanes<float>;  // right-hand sides of a panel

// Rows and columns of the triangles that are solved without the matrix core. With AVX-512 a triangle comes from L2 as fast as it is used, and
// a panel of right-hand sides (32 KiB) lies in L1; a product of fewer terms than this would write its sums more often than it pays.
constexpr std::int64_t solved_order = MPSKIT_VECTOR_BYTES == 64 ? 256 : leaf_order;

// A triangle of at most that order as forward substitution reads it, whichever way it lies: strips of a few rows, a column of a strip after the other. An upper
// triangle is taken from its last row and column to its first, and the last strip is filled up with zeros.
class Solver {
 public:
  static constexpr int rows = has_32_registers ? 8 : 4;  // of a strip: with two registers of right-hand sides for each

  static std::size_t bytes(std::int64_t n) {
    const std::int64_t padded = (n + 7) / 8 * 8;
    return static_cast<std::size_t>(padded * (padded + 8) / 2 + padded + 64) * sizeof(float);
  }
  Solver() = default;
  Solver(const Triangle& t, std::int64_t n, float* room) : elements_(room), order_(n), is_reversed_(!t.is_lower) {
    const Triangle lower = t.is_lower ? t : Triangle{t.at(n - 1, n - 1), -t.row, -t.column, true, t.is_unit};
    for (std::int64_t i = 0; i < n; i += 8) {
      std::int64_t k = 0;
      if (i + 8 <= n)
        for (; k < i; k += 8) pack_square(lower, i, k);
      for (std::int64_t r = i; r < i + 8; ++r)
        for (std::int64_t q = k; q < (r / rows + 1) * rows; ++q) *place(r, q) = r < n && q < r ? *lower.at(r, q) : 0;
    }
    diagonal_ = place((n + 7) / 8 * 8, 0);
    for (std::int64_t i = 0; i < n; ++i) {
      diagonal_[i] = t.is_unit ? 1 : *lower.at(i, i);
      has_inverses_ = has_inverses_ && (diagonal_[i] == 0 || has_inverse(diagonal_[i]));
    }
    if (has_inverses_)
      for (std::int64_t i = 0; i < n; ++i) diagonal_[i] = 1 / diagonal_[i];
    std::fill(diagonal_ + n, diagonal_ + padded_order(), 1.0f);
  }
  // Row i of a system lies in this row of a panel.
  std::int64_t row(std::int64_t i) const { return is_reversed_ ? order_ - 1 - i : i; }
  std::int64_t padded_order() const { return (order_ + rows - 1) / rows * rows; }

  // load(row of the system, its registers) gives a right-hand side; save(row, registers) is told the solution, which `panel` holds too for the rows behind it.
  // Of a panel of few right-hand sides only the first registers are used.
  template <int registers, class Load, class Save>
  void solve(float* panel, Load&& load_row, Save&& save_row) const {
    const float* a = elements_;
    for (std::int64_t i = 0; i < order_; a += (i + rows) * rows, i += rows) {
      V sum[rows][registers]{};
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r)
        if (i + r < order_) load_row(i + r, sum[r]);
      for (std::int64_t k = 0; k < i; ++k) {
        V x[registers];
        for (int c = 0; c < registers; ++c) x[c] = load<V>(panel + k * side_columns + c * lanes<float>);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
          const V f = broadcast(a + k * rows + r);
          for (int c = 0; c < registers; ++c) sum[r][c] = less_product(f, x[c], sum[r][c]);
        }
      }
      const float* square = a + i * rows;
#pragma GCC unroll 8
      for (int q = 0; q < rows; ++q) {
        const V d = broadcast(diagonal_ + i + q);
        for (int c = 0; c < registers; ++c) {
          if (has_inverses_) sum[q][c] *= d;
          else sum[q][c] /= d;
          store(panel + (i + q) * side_columns + c * lanes<float>, sum[q][c]);
        }
#pragma GCC unroll 8
        for (int r = q + 1; r < rows; ++r) {
          const V f = broadcast(square + q * rows + r);
          for (int c = 0; c < registers; ++c) sum[r][c] = less_product(f, sum[q][c], sum[r][c]);
        }
      }
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r)
        if (i + r < order_) save_row(i + r, sum[r]);
    }
  }
  // In place, `some` right-hand sides.
  void solve(float* panel, std::int64_t some) const {
    if (some > lanes<float>) solve_in_place<2>(panel);
    else solve_in_place<1>(panel);
  }

 private:
  template <int registers>
  void solve_in_place(float* panel) const {
    solve<registers>(
        panel,
        [=](std::int64_t r, V(&v)[registers]) __attribute__((always_inline)) {
          for (int c = 0; c < registers; ++c) v[c] = load<V>(panel + r * side_columns + c * lanes<float>);
        },
        [](std::int64_t, const V(&)[registers]) {});
  }
  float* place(std::int64_t i, std::int64_t k) {
    const std::int64_t strip = i / rows;
    return elements_ + (strip * (strip + 1) / 2 * rows + k) * rows + i % rows;
  }
  // Squares of eight below the diagonal.
  void pack_square(const Triangle& t, std::int64_t i, std::int64_t k) {
    Eight v[8];
    const bool is_by_columns = t.column != 1 && t.column != -1;
    const std::ptrdiff_t step = is_by_columns ? t.row : t.column;
    const float* from = t.at(i, k) - (step < 0 ? 7 : 0);
#pragma GCC unroll 8
    for (int q = 0; q < 8; ++q) {
      v[q] = load<Eight>(from + q * (is_by_columns ? t.column : t.row));
      if (step < 0) v[q] = __builtin_shufflevector(v[q], v[q], 7, 6, 5, 4, 3, 2, 1, 0);
    }
    if (!is_by_columns) turn(v);
#pragma GCC unroll 8
    for (int q = 0; q < 8; ++q)
      for (int part = 0; part < 8; part += rows) std::memcpy(place(i + part, k + q), reinterpret_cast<const float*>(&v[q]) + part, rows * sizeof(float));
  }

  float *elements_ = nullptr, *diagonal_ = nullptr;
  std::int64_t order_ = 0;
  bool is_reversed_ = false, has_inverses_ = true;
};

// Panels of right-hand sides through `body`, on all threads when they are worth it.
template <class F>
void for_each_panel(std::int64_t order, std::int64_t right_hand_sides, F&& body) {
  const std::int64_t panels = (right_hand_sides + side_columns - 1) / side_columns, work = order * order * side_columns / 2;
  parallel_for(panels, std::max<std::int64_t>(1, 500000 / (work + 1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      alignas(64) float panel[solved_order * side_columns];
      body(panel, p * side_columns, std::min(side_columns, right_hand_sides - p * side_columns));
    }
  });
}

// What is solved for: scale * b, to which x is added where it holds products; what x holds, when there is no b.
struct RightHandSides {
  const float* b;
  std::ptrdiff_t row;
  float scale;
  bool has_products;
  RightHandSides part(std::int64_t i, std::int64_t j) const { return {b ? b + i * row + j : nullptr, row, scale, has_products}; }
  template <class R>
  MPSKIT_INLINE R at(std::int64_t i, std::int64_t j, const float* x) const {
    if (!b) return load<R>(x);
    const R v = scale * load<R>(b + i * row + j);
    return has_products ? v + load<R>(x) : v;
  }
};

void panels_left(const Solver& solver, const Block& x, const RightHandSides& given) {
  for_each_panel(x.rows, x.columns, [&](float* panel, std::int64_t first, std::int64_t some) {
    auto row_of_x = [&](std::int64_t r) __attribute__((always_inline)) { return x.row(solver.row(r)) + first; };
    if (some == side_columns) {
      // Rows of a large matrix lie further apart than a processor looks ahead.
      const float* rows = given.b ? given.b + solver.row(0) * given.row + first : row_of_x(0);
      const std::ptrdiff_t row = (given.b ? given.row : x.stride) * (solver.row(0) == 0 ? 1 : -1);
      return solver.solve<2>(
          panel,
          [&](std::int64_t r, V(&v)[2]) __attribute__((always_inline)) {
            for (std::int64_t c = 0; c < side_columns; c += 16) __builtin_prefetch(rows + (r + 2 * Solver::rows) * row + c);
            for (int c = 0; c < 2; ++c) v[c] = given.at<V>(solver.row(r), first + c * lanes<float>, row_of_x(r) + c * lanes<float>);
          },
          [&](std::int64_t r, const V(&v)[2]) __attribute__((always_inline)) {
            for (int c = 0; c < 2; ++c) store(row_of_x(r) + c * lanes<float>, v[c]);
          });
    }
    for (std::int64_t r = 0; r < x.rows; ++r) {
      float* to = panel + r * side_columns;
      std::int64_t c = 0;
      for (; c + lanes<float> <= some; c += lanes<float>) store(to + c, given.at<V>(solver.row(r), first + c, row_of_x(r) + c));
      for (; c < some; ++c) to[c] = given.at<float>(solver.row(r), first + c, row_of_x(r) + c);
      std::fill(to + some, to + side_columns, 0.0f);
    }
    solver.solve(panel, some);
    for (std::int64_t r = 0; r < x.rows; ++r) std::copy(panel + r * side_columns, panel + r * side_columns + some, row_of_x(r));
  });
}

void panels_right(const Solver& solver, const Block& x, const RightHandSides& given) {
  const std::int64_t n = x.columns;
  for_each_panel(n, x.rows, [&](float* panel, std::int64_t first, std::int64_t some) {
    if (some < side_columns) std::fill(panel, panel + n * side_columns, 0.0f);
    auto at = [&](std::int64_t i, std::int64_t r) __attribute__((always_inline)) { return panel + solver.row(i) * side_columns + r; };
    auto row_of_x = [&](std::int64_t r) __attribute__((always_inline)) { return x.row(first + r); };
    // four(row, column), for as many rows as a register has lanes and four columns at a time; one(row, column) for what is left
    auto turned = [&](auto&& four, auto&& one) __attribute__((always_inline)) {
      std::int64_t r = 0;
      for (; r + lanes<float> <= some; r += lanes<float>) {
        std::int64_t i = 0;
        for (; i + 4 <= n; i += 4) four(r, i);
        for (; i < n; ++i)
          for (std::int64_t q = r; q < r + lanes<float>; ++q) one(q, i);
      }
      for (; r < some; ++r)
        for (std::int64_t i = 0; i < n; ++i) one(r, i);
    };
    turned(
        [&](std::int64_t r, std::int64_t i) {
          V columns[4];
          if (given.b) load_columns(given.b + (first + r) * given.row + i, given.row, columns);
          else load_columns(row_of_x(r) + i, x.stride, columns);
          if (given.b)
            for (V& v : columns) v *= given.scale;
          if (given.has_products) {
            V products[4];
            load_columns(row_of_x(r) + i, x.stride, products);
            for (int c = 0; c < 4; ++c) columns[c] += products[c];
          }
          for (int c = 0; c < 4; ++c) store(at(i + c, r), columns[c]);
        },
        [&](std::int64_t r, std::int64_t i) { *at(i, r) = given.at<float>(first + r, i, row_of_x(r) + i); });
    solver.solve(panel, some);
    turned(
        [&](std::int64_t r, std::int64_t i) {
          V columns[4];
          for (int c = 0; c < 4; ++c) columns[c] = load<V>(at(i + c, r));
          store_columns(row_of_x(r) + i, x.stride, columns);
        },
        [&](std::int64_t r, std::int64_t i) { row_of_x(r)[i] = *at(i, r); });
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

void subtract_product(const GemmMatrix& a, const GemmMatrix& b, std::int64_t k, const Block& c, bool adds) {
  Gemm g;
  g.m = c.rows;
  g.n = c.columns;
  g.k = k;
  g.a.matrix = a;
  g.b = b;
  // The planes of so few terms would cost more than tiles save: without tiles LU of 512 x 512 takes 0.86 ms instead of 0.91 (Sapphire Rapids, 1 thread).
  PackedB packed;
  if (active_isa() == Isa::amx && k <= leaf_order && std::max(c.rows, c.columns) > 2 * leaf_order) {
    packed = pack_b(b, k, c.columns, false);
    g.packed_b = &packed;
  }
  g.c = {c.data, DType::f32, c.stride * static_cast<std::int64_t>(sizeof(float))};
  g.alpha = -1;
  g.beta = adds ? 1 : 0;
  gemm(g);
}

namespace {

// t * X = x, or X * t = x, by blocks of the triangle that are solved as such, and products.
class BlockedSystem {
 public:
  BlockedSystem(const Triangle& t, std::int64_t n, bool is_right)
      : t_(t), n_(n), is_right_(is_right), solvers_(static_cast<std::size_t>((n + solved_order - 1) / solved_order)), room_(solvers_.size() * Solver::bytes(std::min(n, solved_order))) {
    const auto count = static_cast<std::int64_t>(solvers_.size());
    parallel_for(count, std::max<std::int64_t>(1, 50000 / (solved_order * solved_order)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t s = begin; s < end; ++s) {
        const Triangle square = t_.from(s * solved_order);
        solvers_[static_cast<std::size_t>(s)] = Solver(is_right_ ? square.transposed() : square, std::min(solved_order, n_ - s * solved_order),
                                                       room_.as<float>(static_cast<std::size_t>(s) * Solver::bytes(std::min(n_, solved_order))));
      }
    });
  }
  // A task takes some right-hand sides through the whole system: where threads divide every step, each waits for what others hold in their caches.
  void solve(const Block& x, const RightHandSides& given) const {
    const std::int64_t sides = is_right_ ? x.rows : x.columns, width = width_of_task(sides), tasks = std::max<std::int64_t>(1, (sides + width / 2) / width);
    parallel(tasks, [&](std::int64_t task) {
      // The last one takes what is left over: products of few rows add their terms in another order.
      const std::int64_t first = task * width, some = task + 1 < tasks ? width : sides - first;
      const auto blocks = static_cast<std::int64_t>(solvers_.size());
      if (is_right_) solve(0, blocks, x.part(first, 0, some, n_), given.part(first, 0));
      else solve(0, blocks, x.part(0, first, n_, some), given.part(0, first));
    });
  }

 private:
  // With AMX sizes of a product decide how it is multiplied: they may not depend on the number of threads. A task splits its part of the triangle into planes
  // for itself, so narrow ones pay: 512 x 512 takes 0.40 ms with 2 threads, 0.45 with tasks of 128 (Sapphire Rapids, 2 cores).
  static std::int64_t width_of_task(std::int64_t sides) {
    if (active_isa() == Isa::amx) return sides > 512 ? 512 : sides > 256 ? 256 : 128;
    const std::int64_t width = ((sides + num_threads() - 1) / num_threads() + side_columns - 1) / side_columns * side_columns;
    return width < 128 ? sides : width;
  }
  // Blocks [begin, end), whose rows or columns x has.
  void solve(std::int64_t begin, std::int64_t end, const Block& x, const RightHandSides& given) const {
    if (end - begin == 1) {
      const Solver& solver = solvers_[static_cast<std::size_t>(begin)];
      return is_right_ ? panels_right(solver, x, given) : panels_left(solver, x, given);
    }
    const std::int64_t middle = (begin + end + 1) / 2, h = (middle - begin) * solved_order, rest = (is_right_ ? x.columns : x.rows) - h;
    const Block first = is_right_ ? x.part(0, 0, x.rows, h) : x.part(0, 0, h, x.columns), second = is_right_ ? x.part(0, h, x.rows, rest) : x.part(h, 0, rest, x.columns);
    const RightHandSides behind = is_right_ ? given.part(0, h) : given.part(h, 0);
    const Triangle t = t_.from(begin * solved_order);
    const GemmMatrix square = t.is_lower ? t.block(h, 0) : t.block(0, h);
    const bool is_forward = t.is_lower != is_right_;
    if (is_forward) solve(begin, middle, first, given);
    else solve(middle, end, second, behind);
    const Block &known = is_forward ? first : second, &left = is_forward ? second : first;
    const bool adds = !given.b || given.has_products;
    if (is_right_) subtract_product(known.factor(), square, known.columns, left, adds);
    else subtract_product(square, known.factor(), known.rows, left, adds);
    RightHandSides others = is_forward ? behind : given;
    others.has_products = given.b;
    if (is_forward) solve(middle, end, second, others);
    else solve(begin, middle, first, others);
  }

  Triangle t_;
  std::int64_t n_;
  bool is_right_;
  std::vector<Solver> solvers_;
  Scratch room_;
};

}  // namespace

void solve_left(const Triangle& t, const Block& x, const float* b, std::ptrdiff_t row, float scale) {
  const std::int64_t n = x.rows;
  if (n == 0 || x.columns == 0) return;
  if (x.columns == 1) {
    const Scratch scratch(static_cast<std::size_t>(n) * sizeof(float));
    float* column = scratch.as<float>();
    for (std::int64_t i = 0; i < n; ++i) column[i] = b ? scale * b[i * row] : *x.row(i);
    solve_vector(t, n, column);
    for (std::int64_t i = 0; i < n; ++i) *x.row(i) = column[i];
    return;
  }
  BlockedSystem(t, n, false).solve(x, {b, row, scale, false});
}

void solve_right(const Triangle& t, const Block& x, const float* b, std::ptrdiff_t row, float scale) {
  if (x.columns == 0 || x.rows == 0) return;
  if (x.rows == 1) {
    if (b)
      for (std::int64_t j = 0; j < x.columns; ++j) x.data[j] = scale * b[j];
    return solve_vector(t.transposed(), x.columns, x.row(0));
  }
  BlockedSystem(t, x.columns, true).solve(x, {b, row, scale, false});
}

void copy_block(const float* src, std::ptrdiff_t src_stride, const Block& dst) {
  parallel_for(dst.rows, std::max<std::int64_t>(1, 100000 / (dst.columns + 1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) std::memmove(dst.row(i), src + i * src_stride, static_cast<std::size_t>(dst.columns) * sizeof(float));
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
    auto eight = [&](std::int64_t r, std::int64_t j) __attribute__((always_inline)) {
      Eight rows[8];
      for (int q = 0; q < 8; ++q) rows[q] = load<Eight>(src.row(r + q) + j);
      turn(rows);
      for (int q = 0; q < 8; ++q) store(dst.row(j + q) + r, rows[q]);
    };
    for (std::int64_t some = 8; i + 8 <= i_end; i += some) {
      std::int64_t j = j_begin;
#if MPSKIT_VECTOR_BYTES == 64
      some = i + 16 <= i_end ? 16 : 8;
      for (; some == 16 && j + 16 <= j_end; j += 16) {
        V rows[16];
        for (int q = 0; q < 16; ++q) rows[q] = load<V>(src.row(i + q) + j);
        turn_lanes(rows);
        for (int q = 0; q < 16; ++q) store(dst.row(j + q) + i, rows[q]);
      }
#endif
      for (; j + 8 <= j_end; j += 8)
        for (std::int64_t r = i; r < i + some; r += 8) eight(r, j);
      for (; j < j_end; ++j)
        for (std::int64_t q = i; q < i + some; ++q) dst.row(j)[q] = src.row(q)[j];
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
