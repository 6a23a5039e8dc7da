#include "cpu/linalg/lanes.inl"
#include "cpu/linalg/triangular.hpp"
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Factors are made in place in one triangle of a matrix. The functions return the first pivot that is not positive, or the order.

constexpr std::int64_t leaf_stride = leaf_order + 16;

// Column j of L is a row here, contiguous from its diagonal on: w[j * leaf_stride + i].
std::int64_t factor_leaf(float* w, std::int64_t n) {
  using V = Vec<float>;
  for (std::int64_t j = 0; j < n; ++j) {
    float* l = w + j * leaf_stride;
    const float pivot = l[j];
    if (!(pivot > 0)) return j;
    const float root = std::sqrt(pivot), inverse = 1 / root;  // a root is far from where inverses overflow
    l[j] = root;
    for (std::int64_t i = j + 1; i < n; ++i) l[i] *= inverse;
    for (std::int64_t c = j + 1; c < n; ++c) {
      float* a = w + c * leaf_stride;
      const float f = -l[c];
      // Whole registers from the one that holds the diagonal on: what lies before it is nobody's.
      for (std::int64_t i = c / lanes<float> * lanes<float>; i < n; i += lanes<float>) store(a + i, multiply_add(f - V{}, load<V>(l + i), load<V>(a + i)));
    }
  }
  return n;
}
std::int64_t leaf(const Block& a, bool is_lower) {
  const std::int64_t n = a.rows;
  alignas(64) float w[leaf_order * leaf_stride]{};
  // Rows of the lower triangle are columns in w: squares of eight below the diagonal, and single elements.
  auto turned = [&](auto&& eight, auto&& one) {
    for (std::int64_t i = 0; i < n; i += 8)
      for (std::int64_t j = 0; j <= i; j += 8) {
        if (j < i && i + 8 <= n) eight(a.part(i, j, 8, 8), Block{w + j * leaf_stride + i, leaf_stride, 8, 8});
        else
          for (std::int64_t r = i; r < std::min(n, i + 8); ++r)
            for (std::int64_t c = j; c < std::min(r + 1, j + 8); ++c) one(a.row(r)[c], w[c * leaf_stride + r]);
      }
  };
  auto turn_eight = [](const Block& from, const Block& to) {
    Eight rows[8];
    for (int q = 0; q < 8; ++q) rows[q] = load<Eight>(from.row(q));
    turn(rows);
    for (int q = 0; q < 8; ++q) store(to.row(q), rows[q]);
  };
  if (is_lower) turned(turn_eight, [](float from, float& to) { to = from; });
  else
    for (std::int64_t i = 0; i < n; ++i) std::copy(a.row(i) + i, a.row(i) + n, w + i * leaf_stride + i);
  const std::int64_t done = factor_leaf(w, n);
  if (is_lower) turned([&](const Block& to, const Block& from) { turn_eight(from, to); }, [](float& to, float from) { to = from; });
  else
    for (std::int64_t i = 0; i < n; ++i) std::copy(w + i * leaf_stride + i, w + i * leaf_stride + n, a.row(i) + i);
  return done;
}

// Rows of one triangle of c that one task takes: a multiple of the width of a panel. Half of a square of so many is multiplied in vain:
// with twice as many the factorization of 512 x 512 takes 8 % longer.
constexpr std::int64_t kept_rows = panel_columns > 16 ? 64 : 48;

// One triangle of c -= a * a.T, a is c.rows x k (or its transpose, as stored).
void subtract_square(const GemmMatrix& a, std::int64_t k, const Block& c, bool is_lower) {
  GemmMatrix b = a;
  b.transposed = !b.transposed;
  const PackedB packed = pack_b(b, k, c.rows);
  Gemm g;
  g.m = g.n = c.rows;
  g.k = k;
  g.a.matrix = a;
  g.packed_b = &packed;
  g.c = {c.data, DType::f32, c.stride * static_cast<std::int64_t>(sizeof(float))};
  g.alpha = -1;
  g.beta = 1;
  const std::int64_t strips = (c.rows + kept_rows - 1) / kept_rows;
  auto strip = [&](std::int64_t task) {
    const std::int64_t s = is_lower ? strips - 1 - task : task;  // the longest first
    const std::int64_t first = s * kept_rows, rows = std::min(kept_rows, c.rows - first);
    // The square on the diagonal is multiplied as a whole; what lies in the other triangle is put back.
    alignas(64) float kept[kept_rows * kept_rows];
    auto other = [&](auto&& move) {
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t begin = is_lower ? i + 1 : 0, end = is_lower ? rows : i;
        move(c.row(first + i) + first + begin, kept + i * kept_rows + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
      }
    };
    other([](const float* there, float* here, std::size_t bytes) { std::memcpy(here, there, bytes); });
    if (is_lower) gemm_part(g, first, rows, 0, first + rows);
    else gemm_part(g, first, rows, first, c.rows - first);
    other([](float* there, const float* here, std::size_t bytes) { std::memcpy(there, here, bytes); });
  };
  if (c.rows * c.rows * k < 1000000)
    for (std::int64_t s = 0; s < strips; ++s) strip(s);
  else parallel(strips, strip);
}

// Leaf by leaf. One region of tasks a leaf: strips of what is left of the triangle, and the first of them is the next leaf, which is factored
// in the same task: one thread is busy with what only one can do, while the others multiply.
class CholeskyByLeaves {
 public:
  CholeskyByLeaves(const Block& a, bool is_lower) : a_(a), is_lower_(is_lower) {}

  std::int64_t factor() const {
    const std::int64_t n = a_.rows, leaves = (n + leaf_order - 1) / leaf_order;
    std::int64_t done = factor_strip(0);
    for (std::int64_t leaf = 0; leaf + 1 < leaves && done == end_of(leaf * leaf_order); ++leaf)
      parallel(leaves - leaf - 1, [&](std::int64_t task) {
        const std::int64_t first = (leaf + 1 + task) * leaf_order;
        subtract(leaf * leaf_order, first);
        if (task == 0) done = first + factor_strip(first);
      });
    return done;
  }

 private:
  std::int64_t end_of(std::int64_t first) const { return std::min(a_.rows, first + leaf_order); }
  // Of the strip that begins on the diagonal: what lies beyond its square, for `order` rows or columns from `begin` on.
  Block beyond(std::int64_t begin, std::int64_t order, std::int64_t first) const {
    const std::int64_t end = end_of(first), rest = a_.rows - end;
    return is_lower_ ? a_.part(end, begin, rest, order) : a_.part(begin, end, order, rest);
  }
  std::int64_t factor_strip(std::int64_t first) const {
    const std::int64_t order = end_of(first) - first;
    const Block square = a_.part(first, first, order, order), x = beyond(first, order, first);
    const std::int64_t done = leaf(square, is_lower_);
    if (done < order) return done;
    if (is_lower_) solve_right({square.data, 1, square.stride, false}, x);
    else solve_left({square.data, 1, square.stride, true}, x);
    return done;
  }
  // What the leaf at `begin` contributes to the strip at `first`.
  void subtract(std::int64_t begin, std::int64_t first) const {
    const std::int64_t order = end_of(begin) - begin, width = end_of(first) - first;
    const Block x = is_lower_ ? a_.part(first, begin, width, order) : a_.part(begin, first, order, width), square = a_.part(first, first, width, width);
    alignas(64) float product[leaf_order * leaf_order];
    const Block p{product, leaf_order, width, width};
    // The square is multiplied as a whole, elsewhere: its other triangle is nobody's business.
    for (std::int64_t i = 0; i < width; ++i) std::memcpy(p.row(i), square.row(i), static_cast<std::size_t>(width) * sizeof(float));
    subtract_product(x.factor(!is_lower_), x.factor(is_lower_), order, p);
    for (std::int64_t i = 0; i < width; ++i) {
      const std::int64_t from = is_lower_ ? 0 : i, to = is_lower_ ? i + 1 : width;
      std::memcpy(square.row(i) + from, p.row(i) + from, static_cast<std::size_t>(to - from) * sizeof(float));
    }
    const Block rest = beyond(begin, order, first), there = beyond(first, width, first);
    if (is_lower_) subtract_product(rest.factor(), x.factor(true), order, there);
    else subtract_product(x.factor(true), rest.factor(), order, there);
  }

  Block a_;
  bool is_lower_;
};

constexpr std::int64_t order_by_leaves = 256;
std::int64_t factor(const Block& a, bool is_lower) {
  const std::int64_t n = a.rows;
  if (n == 0) return 0;
  if (n <= order_by_leaves) return CholeskyByLeaves(a, is_lower).factor();
  const std::int64_t h = half_of(n), rest = n - h;
  if (const std::int64_t done = factor(a.part(0, 0, h, h), is_lower); done < h) return done;
  const Triangle upper = is_lower ? Triangle{a.data, 1, a.stride, false} : Triangle{a.data, a.stride, 1, false};
  const Block corner = a.part(h, h, rest, rest);
  if (is_lower) {
    const Block below = a.part(h, 0, rest, h);
    solve_right(upper, below);
    subtract_square(below.factor(), h, corner, true);
  } else {
    const Block beside = a.part(0, h, h, rest);
    solve_left(upper.transposed(), beside);
    subtract_square(beside.factor(true), h, corner, false);
  }
  return h + factor(corner, is_lower);
}

// ---- one matrix a lane: w holds L
using Register = Vec<float>;
using Flags = Vec<std::int32_t>;

// The square on the diagonal of columns [j, j + columns), and what divides by its diagonal. Lanes that fail, as -1.
template <int columns>
MPSKIT_INLINE Flags factor_square(LaneWindow w, std::int64_t j, Register* inverses) {
  Flags failed{};
  Register square[columns][columns];
  for (int r = 0; r < columns; ++r)
    for (int c = 0; c <= r; ++c) square[r][c] = load<Register>(w.at(j + r, j + c));
  for (std::int64_t k = 0; k < j; ++k) {
    Register l[columns];
    for (int r = 0; r < columns; ++r) l[r] = load<Register>(w.at(j + r, k));
    for (int r = 0; r < columns; ++r)
      for (int c = 0; c <= r; ++c) square[r][c] = less_product(l[r], l[c], square[r][c]);
  }
  for (int c = 0; c < columns; ++c) {
    const Register pivot = square[c][c];
    const Flags is_positive = pivot > 0;
    failed |= ~is_positive;
    // The next pivot waits for one division; the root is on its way meanwhile.
    for (int d = c + 1; d < columns; ++d) {
      const Register f = square[d][c] / pivot;
      for (int r = d; r < columns; ++r) square[r][d] = less_product(square[r][c], f, square[r][d]);
    }
    square[c][c] = is_positive ? square_root(pivot) : pivot;
    const Register inverse = 1 / square[c][c];
    inverses[j + c] = inverse;
    for (int r = c + 1; r < columns; ++r) square[r][c] *= inverse;
  }
  for (int r = 0; r < columns; ++r)
    for (int c = 0; c <= r; ++c) store(w.at(j + r, j + c), square[r][c]);
  return failed;
}
// Rows [begin, end) of columns [j, j + 4), below the square.
MPSKIT_INLINE void factor_lane_rows(LaneWindow w, std::int64_t j, std::int64_t begin, std::int64_t end, const Register* inverses) {
  const LaneWindow turned{w.data, w.column, w.row};
  each_tile_row(begin, end, [&](auto height, std::int64_t i) __attribute__((always_inline)) {
    constexpr int rows = decltype(height)::value, columns = 4;
    LaneTile<rows, columns> t;
    load_tile<rows, columns>(w, i, j, t);
    subtract_lanes<rows, columns>(w, i, turned, j, j, t);
    for (int c = 0; c < columns; ++c)
      for (int r = 0; r < rows; ++r) {
        t[r][c] *= inverses[j + c];
        for (int d = c + 1; d < columns; ++d) t[r][d] = less_product(t[r][c], load<Register>(w.at(j + d, j + c)), t[r][d]);
      }
    store_tile<rows, columns>(w, i, j, t);
  });
}
Flags factor_lanes(LaneWindow w, std::int64_t n) {
  Register inverses[lane_order];
  Flags failed{};
  n = std::min(n, lane_order);  // compilers want to know
  auto square = [&](std::int64_t j) {
    switch (std::min<std::int64_t>(4, n - j)) {
      case 4: failed |= factor_square<4>(w, j, inverses); break;
      case 3: failed |= factor_square<3>(w, j, inverses); break;
      case 2: failed |= factor_square<2>(w, j, inverses); break;
      case 1: failed |= factor_square<1>(w, j, inverses); break;
      default: break;
    }
  };
  square(0);
  for (std::int64_t j = 0; j + 4 < n; j += 4) {
    // The next square, a long chain of divisions and roots, goes along with the rows below it.
    const std::int64_t next = std::min(n, j + 8);
    factor_lane_rows(w, j, j + 4, next, inverses);
    square(j + 4);
    factor_lane_rows(w, j, next, n, inverses);
  }
  return failed;
}

class MatrixDecompositionCholeskyPlan final : public CpuPlan {
 public:
  MatrixDecompositionCholeskyPlan(const linalg::MatrixDecompositionCholesky& k, const Call& call)
      : kernel_(k), problem_(k.problem(call.inputs[0], &call.outputs[0], &call.outputs[1])) {}

  void run(std::span<const View> views) const override {
    const std::int64_t n = problem_.order, first = problem_.batch.first, count = problem_.batch.count;
    const View &source = views[0], &result = views[1];
    auto* status = views[2].vector<std::int32_t>(0) + first;
    const auto from = matrices_from<const float>(source, kernel_.source_matrix_origin, first);
    const auto to = matrices_from<float>(result, kernel_.result_matrix_origin, first);
    if (is_in_floats(source) && is_in_floats(result) && fits_lanes(n, count)) {
      for_each_group(count, static_cast<double>(n * n * n / 6), n * n, [&](std::int64_t m, std::int64_t some) { group(from, to, status, m, some); });
      return;
    }
    for_each_matrix(count, static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / 6, [&](std::int64_t m) {
      const auto a = matrices_from<const float>(source, kernel_.source_matrix_origin, first + m);
      const auto r = matrices_from<float>(result, kernel_.result_matrix_origin, first + m);
      const Block block{r.data, r.row, n, n};
      if (a.data != r.data) copy_triangle(a.data, a.row, block);
      status[m] = factor(block, kernel_.lower) == n ? linalg::status_success : linalg::status_non_positive_definite;
    });
  }

 private:
  void copy_triangle(const float* src, std::ptrdiff_t stride, const Block& dst) const {
    parallel_for(dst.rows, std::max<std::int64_t>(1, 200000 / (dst.rows + 1)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        std::copy(src + i * stride + (kernel_.lower ? 0 : i), src + i * stride + (kernel_.lower ? i + 1 : dst.rows), dst.row(i) + (kernel_.lower ? 0 : i));
    });
  }

  void group(const Matrices<const float>& from, const Matrices<float>& to, std::int32_t* status, std::int64_t m, std::int64_t count) const {
    const std::int64_t n = problem_.order;
    alignas(64) float elements[lane_order * spread(lane_order) * lanes<float>];
    const LaneWindow w{elements, spread(n), 1};
    const Matrices<const float> a{from.data + m * from.matrix, from.matrix, from.row};
    const Matrices<float> r{to.data + m * to.matrix, to.matrix, to.row};
    const LaneTriangles which{kernel_.lower, !kernel_.lower};
    interleave_all(a, count, n, n, w, which);
    const Vec<std::int32_t> failed = factor_lanes(kernel_.lower ? w : LaneWindow{elements, w.column, w.row}, n);  // U is L.T
    separate_all(w, n, n, r, count, which);
    for (std::int64_t l = 0; l < count; ++l) status[m + l] = failed[l] ? linalg::status_non_positive_definite : linalg::status_success;
  }

  linalg::MatrixDecompositionCholesky kernel_;
  linalg::MatrixDecompositionCholesky::Problem problem_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixDecompositionCholesky, MatrixDecompositionCholeskyPlan)
