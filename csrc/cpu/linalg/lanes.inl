// Batches of small matrices: one matrix a lane. Registers then do what a scalar program would do, for as many matrices at once,
// and no register is ever partly full.
#include "cpu/simd/math.inl"
#include "cpu/simd/square_root.inl"
#include "cpu/simd/transpose.inl"

namespace mpskit::cpu::MPSKIT_ISA {

inline constexpr std::int64_t lane_order = 32;  // largest: 32 x 32 matrices of a register of AVX2 fill L1, of AVX-512 a part of L2

// Small matrices in memory: element (i, j) of matrix l at data[l * matrix + i * row + j].
template <class T>
struct Matrices {
  T* data;
  std::ptrdiff_t matrix, row;
};
// A matrix of a batch from an origin on.
template <class T>
Matrices<T> matrices_from(const View& v, const Origin& o, std::int64_t matrix) {
  constexpr auto e = static_cast<std::ptrdiff_t>(sizeof(float));
  return {v.row<T>(matrix, o.x) + o.y, v.layout.matrix_bytes() / e, v.layout.row_bytes() / e};
}
inline bool is_in_floats(const View& v) { return v.layout.matrix_bytes() % static_cast<std::int64_t>(sizeof(float)) == 0; }

// The same elements side by side: (i, j) of all lanes from data[(i * row + j * column) * lanes] on.
struct LaneWindow {
  float* data;
  std::ptrdiff_t row, column;
  float* at(std::int64_t i, std::int64_t j) const { return data + (i * row + j * column) * lanes<float>; }
};

// Columns [begin, end) of one row of `columns`, and some beside them where that is quicker. Lanes beyond `count` repeat the first matrix.
// Whole registers are stored: one that comes out of single elements has to wait for each.
MPSKIT_INLINE void interleave(const Matrices<const float>& src, std::int64_t count, std::int64_t i, std::int64_t begin, std::int64_t end, std::int64_t columns,
                              const LaneWindow& dst, std::int64_t to) {
  const float* p = src.data + i * src.row;
  std::int64_t j = begin;
  if (count == lanes<float>) {
    j = begin / 4 * 4;
    for (; j < end && j + 4 <= columns; j += 4) {
      Vec<float> v[4];
      load_columns(p + j, src.matrix, v);
      for (int q = 0; q < 4; ++q) store(dst.at(to, j + q), v[q]);
    }
  }
  for (; j < end; ++j) {
    Vec<float> v{};
    for (std::int64_t l = 0; l < lanes<float>; ++l) v[l] = p[(l < count ? l : 0) * src.matrix + j];
    store(dst.at(to, j), v);
  }
}
MPSKIT_INLINE void separate(const LaneWindow& src, std::int64_t from, std::int64_t begin, std::int64_t end, const Matrices<float>& dst,
                            std::int64_t count, std::int64_t i) {
  std::int64_t j = begin;
  float* p = dst.data + i * dst.row;
  if (count == lanes<float>)
    for (; j + 4 <= end; j += 4) {
      Vec<float> v[4];
      for (int q = 0; q < 4; ++q) v[q] = load<Vec<float>>(src.at(from, j + q));
      store_columns(p + j, dst.matrix, v);
    }
  for (; j < end; ++j)
    for (std::int64_t l = 0; l < count; ++l) p[l * dst.matrix + j] = src.at(from, j)[l];
}

// Rows i and k of one lane change places, in columns [begin, end).
MPSKIT_INLINE void exchange_rows(const LaneWindow& w, std::int64_t lane, std::int64_t i, std::int64_t k, std::int64_t begin, std::int64_t end) {
  if (i == k) return;
  for (std::int64_t j = begin; j < end; ++j) std::swap(w.at(i, j)[lane], w.at(k, j)[lane]);
}

// Tiles of a factorization: so many columns and rows at a time that their sums fill the registers.
inline constexpr int lane_rows_of_tile = MPSKIT_VECTOR_BYTES == 64
#if defined(__aarch64__)
                                                                      || true
#endif
                                                                  ? 4
                                                                  : 3;
template <int rows, int columns>
using LaneTile = Vec<float>[rows][columns];
template <int rows, int columns>
MPSKIT_INLINE void load_tile(const LaneWindow& w, std::int64_t i, std::int64_t j, LaneTile<rows, columns>& t) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) t[r][c] = load<Vec<float>>(w.at(i + r, j + c));
}
template <int rows, int columns>
MPSKIT_INLINE void store_tile(const LaneWindow& w, std::int64_t i, std::int64_t j, const LaneTile<rows, columns>& t) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) store(w.at(i + r, j + c), t[r][c]);
}
// t -= rows i... of a times columns j... of b, `terms` terms.
template <int rows, int columns>
MPSKIT_INLINE void subtract_lanes(const LaneWindow& a, std::int64_t i, const LaneWindow& b, std::int64_t j, std::int64_t terms, LaneTile<rows, columns>& t) {
  for (std::int64_t k = 0; k < terms; ++k) {
    Vec<float> f[rows];
    for (int r = 0; r < rows; ++r) f[r] = -load<Vec<float>>(a.at(i + r, k));
    for (int c = 0; c < columns; ++c) {
      const Vec<float> v = load<Vec<float>>(b.at(k, j + c));
      for (int r = 0; r < rows; ++r) t[r][c] = multiply_add(f[r], v, t[r][c]);
    }
  }
}
// f(number of columns, first) for the tiles of n columns, and g(number of rows, first) for those of rows [begin, end): the numbers are
// constants.
template <class F>
MPSKIT_INLINE void each_tile_column(std::int64_t n, F&& f) {
  std::int64_t j = 0;
  for (; j + 4 <= n; j += 4) f(std::integral_constant<int, 4>{}, j);
  if (n - j == 3) f(std::integral_constant<int, 3>{}, j);
  else if (n - j == 2) f(std::integral_constant<int, 2>{}, j);
  else if (n - j == 1) f(std::integral_constant<int, 1>{}, j);
}
template <class G>
MPSKIT_INLINE void each_tile_row(std::int64_t begin, std::int64_t end, G&& g) {
  std::int64_t i = begin;
  for (; i + lane_rows_of_tile <= end; i += lane_rows_of_tile) g(std::integral_constant<int, lane_rows_of_tile>{}, i);
  for (; i < end; ++i) g(std::integral_constant<int, 1>{}, i);
}

// t * X = x for a triangular t of every lane, in place.
template <int columns>
MPSKIT_INLINE void lane_substitution(const LaneWindow& t, bool is_lower, bool is_unit, std::int64_t n, const LaneWindow& x, std::int64_t c) {
  using V = Vec<float>;
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = is_lower ? step : n - 1 - step, begin = is_lower ? 0 : i + 1, end = is_lower ? i : n;
    V sum[columns];
    for (int q = 0; q < columns; ++q) sum[q] = load<V>(x.at(i, c + q));
    for (std::int64_t k = begin; k < end; ++k) {
      const V f = -load<V>(t.at(i, k));
      for (int q = 0; q < columns; ++q) sum[q] = multiply_add(f, load<V>(x.at(k, c + q)), sum[q]);
    }
    for (int q = 0; q < columns; ++q) {
      if (!is_unit) sum[q] /= load<V>(t.at(i, i));
      store(x.at(i, c + q), sum[q]);
    }
  }
}
inline void solve_lanes(const LaneWindow& t, bool is_lower, bool is_unit, std::int64_t n, const LaneWindow& x, std::int64_t columns) {
  n = std::min(n, lane_order);  // compilers want to know
  std::int64_t c = 0;
  for (; c + 4 <= columns; c += 4) lane_substitution<4>(t, is_lower, is_unit, n, x, c);
  for (; c < columns; ++c) lane_substitution<1>(t, is_lower, is_unit, n, x, c);
}

// Groups of a batch, a register's lanes each: body(first matrix, count), several groups at once. `work` is multiply-adds of one matrix.
template <class F>
void for_each_group(std::int64_t matrices, double work, F&& body) {
  const std::int64_t groups = (matrices + lanes<float> - 1) / lanes<float>;
  parallel_for(groups, std::max<std::int64_t>(1, static_cast<std::int64_t>(1e5 / (work + 100))), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) body(g * lanes<float>, std::min<std::int64_t>(lanes<float>, matrices - g * lanes<float>));
  });
}
// Whether a batch of that order goes this way: most lanes must have work.
inline bool fits_lanes(std::int64_t order, std::int64_t matrices) { return order <= lane_order && matrices * 2 >= lanes<float>; }

}  // namespace mpskit::cpu::MPSKIT_ISA
