#include "cpu/linalg/lanes.inl"
#include "cpu/linalg/triangular.hpp"
#include "cpu/simd/any.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using V = Vec<float>;
using I = Vec<std::int32_t>;

// The first of the largest magnitudes of v[begin, end). NaN is never larger, nor is anything larger than a NaN at `begin`.
std::int64_t first_largest(const float* v, std::int64_t begin, std::int64_t end) {
  if (v[begin] != v[begin]) return begin;
  V best = all(-1);
  I where{}, here{};
  for (int l = 0; l < lanes<float>; ++l) here[l] = static_cast<std::int32_t>(begin + l);
  std::int64_t i = begin;
  for (; i + lanes<float> <= end; i += lanes<float>, here += lanes<float>) {
    const V m = magnitude(load<V>(v + i));
    const I is_larger = m > best;
    best = is_larger ? m : best;
    where = is_larger ? here : where;
  }
  float most = -1;
  std::int64_t found = begin;
  for (int l = 0; l < lanes<float>; ++l)
    if (best[l] > most || (best[l] == most && where[l] < found)) {
      most = best[l];
      found = most < 0 ? begin : where[l];
    }
  for (; i < end; ++i)
    if (std::fabs(v[i]) > most) {
      most = std::fabs(v[i]);
      found = i;
    }
  return found;
}

// 1 / pivot, where it loses nothing.
bool has_inverse(float pivot) { return std::fabs(pivot) > 0x1p-100f && std::fabs(pivot) < 0x1p100f; }

// A panel stands on its side: column j of the matrix is row j of w, so that pivots are looked for, and columns updated, along
// contiguous memory. True when a pivot is 0.
constexpr std::int64_t narrow = 8;
bool factor_narrow(const Block& w, std::uint32_t* pivots) {
  bool is_singular = false;
  const std::int64_t n = w.rows, m = w.columns;
  for (std::int64_t j = 0; j < n; ++j) {
    float* l = w.row(j);
    const std::int64_t p = first_largest(l, j, m);
    pivots[j] = static_cast<std::uint32_t>(p);
    if (p != j)
      for (std::int64_t c = 0; c < n; ++c) std::swap(w.row(c)[j], w.row(c)[p]);
    const float pivot = l[j];
    if (pivot == 0) is_singular = true;
    else if (has_inverse(pivot)) {
      const float inverse = 1 / pivot;
      for (std::int64_t i = j + 1; i < m; ++i) l[i] *= inverse;
    } else {
      for (std::int64_t i = j + 1; i < m; ++i) l[i] /= pivot;
    }
    constexpr std::int64_t chunk = 1024;  // stays in L1 for all columns
    for (std::int64_t begin = j + 1; begin < m; begin += chunk) {
      const std::int64_t end = std::min(m, begin + chunk);
      for (std::int64_t c = j + 1; c < n; ++c) {
        float* u = w.row(c);
        const float f = -u[j];
        std::int64_t i = begin;
        for (; i + lanes<float> <= end; i += lanes<float>) store(u + i, multiply_add(all(f), load<V>(l + i), load<V>(u + i)));
        for (; i < end; ++i) u[i] += f * l[i];
      }
    }
  }
  return is_singular;
}
void exchange_elements(const Block& w, const std::uint32_t* pivots, std::int64_t begin, std::int64_t end) {
  for (std::int64_t c = 0; c < w.rows; ++c)
    for (std::int64_t i = begin; i < end; ++i) std::swap(w.row(c)[i], w.row(c)[pivots[i]]);
}
bool factor_panel(const Block& w, std::uint32_t* pivots) {
  const std::int64_t n = w.rows, m = w.columns;
  if (n <= narrow) return factor_narrow(w, pivots);
  const std::int64_t h = (n / 2 + narrow - 1) / narrow * narrow;
  const Block rest = w.part(h, 0, n - h, m);
  bool is_singular = factor_panel(w.part(0, 0, h, m), pivots);
  exchange_elements(rest, pivots, 0, h);
  solve_right({w.data, w.stride, 1, false, true}, rest.part(0, 0, n - h, h));
  subtract_product(rest.factor(), w.part(0, h, h, m - h).factor(), h, rest.part(0, h, n - h, m - h));
  is_singular = factor_panel(rest.part(0, h, n - h, m - h), pivots + h) || is_singular;
  for (std::int64_t i = h; i < n; ++i) pivots[i] += static_cast<std::uint32_t>(h);
  exchange_elements(w.part(0, 0, h, m), pivots, h, n);
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
  if (n <= leaf_order) {
    const std::int64_t stride = (m + 15) / 16 * 16 + 16;
    const Scratch scratch(static_cast<std::size_t>(stride * n) * sizeof(float));
    const Block w{scratch.as<float>(), stride, n, m};
    turn_block(a, w);
    const bool is_singular = factor_panel(w, pivots);
    turn_block(w, a);
    return is_singular;
  }
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
    const I is_zero = pivot == 0;
    is_singular |= is_zero;
    const V divisor = is_zero ? all(1) : pivot, size = magnitude(divisor), inverse = 1 / divisor;
    const I has_no_inverse = ~((size > 0x1p-100f) & (size < 0x1p100f));
    const bool divides = any(has_no_inverse);
    for (std::int64_t i = j + 1; i < m; ++i) {
      const V a = load<V>(w.at(i, j));
      V l = a * inverse;
      if (divides) l = has_no_inverse ? a / divisor : l;
      store(w.at(i, j), l);
      for (std::int64_t c = j + 1; c < j0 + columns; ++c) store(w.at(i, c), less_product(l, load<V>(w.at(j, c)), load<V>(w.at(i, c))));
    }
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

class MatrixDecompositionLUPlan final : public CpuPlan {
 public:
  MatrixDecompositionLUPlan(const linalg::MatrixDecompositionLU& k, const Call& call)
      : kernel_(k), problem_(k.problem(call.inputs[0], &call.outputs[0], &call.outputs[1], &call.outputs[2])) {}

  void run(std::span<const View> views) const override {
    const View &source = views[0], &result = views[1];
    const std::int64_t rows = problem_.extent.rows, columns = problem_.extent.columns, first = problem_.batch.first, count = problem_.batch.count;
    auto* status = views[3].vector<std::int32_t>(0);
    const double work = static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(problem_.pivots) / 2;
    if (fits_lanes(std::max(rows, columns), count) && is_in_floats(source) && is_in_floats(result)) {
      for_each_group(count, work, [&](std::int64_t m, std::int64_t some) { group(views, first + m, some); });
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
    alignas(64) float elements[lane_order * lane_order * lanes<float>];
    I pivots[lane_order];
    const LaneWindow w{elements, columns, 1};
    interleave_all(a, count, rows, columns, w);
    const I is_singular = factor_lanes(w, rows, columns, pivots);
    separate_all(w, rows, columns, r, count);
    for (std::int64_t l = 0; l < count; ++l) {
      for (std::int64_t j = 0; j < problem_.pivots; ++j) views[2].vector<std::uint32_t>(m + l)[j] = static_cast<std::uint32_t>(pivots[j][l]);
      views[3].vector<std::int32_t>(0)[m + l] = is_singular[l] ? linalg::status_singular : linalg::status_success;
    }
  }

  linalg::MatrixDecompositionLU kernel_;
  linalg::MatrixDecompositionLU::Problem problem_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixDecompositionLU, MatrixDecompositionLUPlan)
