#pragma once
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
// From row to row of a window whose rows are used several at a time: they share few sets of L1 else. With 32 columns Cholesky takes a sixth less.
constexpr std::int64_t spread(std::int64_t columns) { return columns % 8 == 0 && columns > 16 ? columns + 1 : columns; }

inline std::ptrdiff_t vector_floats(const View& v) { return v.layout.vector_bytes() / static_cast<std::ptrdiff_t>(sizeof(float)); }

// The same elements side by side: (i, j) of all lanes from data[(i * row + j * column) * lanes] on.
// Passed by value: stores through its pointer may not change what a function knows of it, or every step would be read again.
struct LaneWindow {
  float* data;
  std::ptrdiff_t row, column;
  float* at(std::int64_t i, std::int64_t j) const { return data + (i * row + j * column) * lanes<float>; }
};

// Where something begins in every matrix of a group, rows say. Lanes beyond the last matrix repeat the first one: what they write is
// the same. Passed by value, so that all of them stay in registers.
template <class T>
struct LaneStarts {
  T* p[lanes<float>];
};
template <class T>
MPSKIT_INLINE LaneStarts<T> starts_of(const Matrices<T>& m, std::int64_t count) {
  LaneStarts<T> out;
  for (int l = 0; l < lanes<float>; ++l) out.p[l] = m.data + (l < count ? l : 0) * m.matrix;
  return out;
}

#if MPSKIT_VECTOR_BYTES == 64
// Sixteen columns of sixteen rows, turned: a line of each row is read or written once, and no more of it than is there. Matrices that lie a power
// of two apart share a set of L1, which has fewer places than rows are turned: with four columns at a time every line came and went four times.
// Up to eight columns are turned sooner by fours.
MPSKIT_INLINE void interleave_lines(const LaneStarts<const float>& rows, std::ptrdiff_t offset, std::int64_t begin, std::int64_t end, LaneWindow dst, std::int64_t i) {
  for (std::int64_t j = begin; j < end; j += 16) {
    const auto count = static_cast<int>(std::min<std::int64_t>(16, end - j));
    const __mmask16 mask = first_lanes(count);
    Vec<float> v[16];
    for (int l = 0; l < 16; ++l) v[l] = (Vec<float>)_mm512_maskz_loadu_ps(mask, rows.p[l] + offset + j);
    turn_lanes(v);
#pragma GCC unroll 16
    for (int c = 0; c < 16; ++c)
      if (c < count) store(dst.at(i, j + c), v[c]);
  }
}
MPSKIT_INLINE void separate_lines(LaneWindow src, std::int64_t i, std::int64_t begin, std::int64_t end, const LaneStarts<float>& rows, std::ptrdiff_t offset) {
  for (std::int64_t j = begin; j < end; j += 16) {
    const auto count = static_cast<int>(std::min<std::int64_t>(16, end - j));
    const __mmask16 mask = first_lanes(count);
    Vec<float> v[16];
#pragma GCC unroll 16
    for (int c = 0; c < 16; ++c) v[c] = c < count ? load<Vec<float>>(src.at(i, j + c)) : Vec<float>{};
    turn_lanes(v);
    for (int l = 0; l < 16; ++l) _mm512_mask_storeu_ps(rows.p[l] + offset + j, mask, (__m512)v[l]);
  }
}
#endif
// Columns [begin, end) of rows of `columns` to row i of dst, and some beside them where that is quicker; `offset` from the starts on.
// Whole registers are stored: one that comes out of single elements has to wait for each.
MPSKIT_INLINE void interleave(LaneStarts<const float> rows, std::ptrdiff_t offset, std::int64_t begin, std::int64_t end, std::int64_t columns, LaneWindow dst,
                              std::int64_t i) {
#if MPSKIT_VECTOR_BYTES == 64
  if (end - begin > 8) return interleave_lines(rows, offset, begin, end, dst, i);
#endif
  if (columns < 4) {
    for (std::int64_t j = begin; j < end; ++j) {
      Vec<float> v{};
      for (int l = 0; l < lanes<float>; ++l) v[l] = rows.p[l][offset + j];
      store(dst.at(i, j), v);
    }
    return;
  }
  for (std::int64_t q = begin / 4 * 4; q < end; q += 4) {
    const std::int64_t j = std::min(q, columns - 4);
    Vec<float> v[4];
    load_columns_of([&](int l) __attribute__((always_inline)) { return rows.p[l] + (offset + j); }, v);
    for (int c = 0; c < 4; ++c) store(dst.at(i, j + c), v[c]);
  }
}
// Columns [begin, end), and nothing beside them.
MPSKIT_INLINE void separate(LaneWindow src, std::int64_t i, std::int64_t begin, std::int64_t end, LaneStarts<float> rows, std::ptrdiff_t offset) {
#if MPSKIT_VECTOR_BYTES == 64
  if (end - begin > 8) return separate_lines(src, i, begin, end, rows, offset);
#endif
  if (end - begin < 4) {
    for (std::int64_t j = begin; j < end; ++j)
      for (int l = 0; l < lanes<float>; ++l) store(rows.p[l] + offset + j, src.at(i, j)[l]);
    return;
  }
  for (std::int64_t q = begin; q < end; q += 4) {
    const std::int64_t j = std::min(q, end - 4);
    Vec<float> v[4];
    for (int c = 0; c < 4; ++c) v[c] = load<Vec<float>>(src.at(i, j + c));
    store_columns_of([&](int l) __attribute__((always_inline)) { return rows.p[l] + (offset + j); }, v);
  }
}
// All rows of a window, or one triangle of it.
struct LaneTriangles {
  bool below = true, above = true;  // with the diagonal
  std::int64_t begin(std::int64_t i) const { return below ? 0 : i; }
  std::int64_t end(std::int64_t i, std::int64_t columns) const { return above ? columns : i + 1; }
};
inline void interleave_all(const Matrices<const float>& src, std::int64_t count, std::int64_t rows, std::int64_t columns, LaneWindow dst, LaneTriangles which = {}) {
  const auto starts = starts_of(src, count);
  // Rows without gaps are one.
  if (src.row == columns && dst.row == columns && dst.column == 1 && columns <= 16) return interleave(starts, 0, 0, rows * columns, rows * columns, dst, 0);
  for (std::int64_t i = 0; i < rows; ++i) interleave(starts, i * src.row, which.begin(i), which.end(i, columns), columns, dst, i);
}
inline void separate_all(LaneWindow src, std::int64_t rows, std::int64_t columns, const Matrices<float>& dst, std::int64_t count, LaneTriangles which = {}) {
  const auto starts = starts_of(dst, count);
  if (dst.row == columns && src.row == columns && src.column == 1 && which.below && which.above) return separate(src, 0, 0, rows * columns, starts, 0);
  for (std::int64_t i = 0; i < rows; ++i) separate(src, i, which.begin(i), which.end(i, columns), starts, i * dst.row);
}

// Row i changes places with row where[l] of lane l, in columns [begin, end).
MPSKIT_INLINE void exchange_lanes(LaneWindow w, std::int64_t i, const Vec<std::int32_t>& where, std::int64_t begin, std::int64_t end) {
  float* other[lanes<float>];
  for (int l = 0; l < lanes<float>; ++l) other[l] = w.at(where[l], 0) + l;
  for (std::int64_t j = begin; j < end; ++j) {
    const std::ptrdiff_t column = j * w.column * lanes<float>;
    const Vec<float> old = load<Vec<float>>(w.at(i, j));
    Vec<float> taken;
    for (int l = 0; l < lanes<float>; ++l) taken[l] = other[l][column];
    for (int l = 0; l < lanes<float>; ++l) other[l][column] = old[l];
    store(w.at(i, j), taken);  // last: where a lane has nothing to exchange, its row is this one
  }
}

// The same where row where[l] is one of the next few below row i, in whole registers: every row is taken or left.
inline constexpr std::int64_t few_lane_rows = 7;
inline void exchange_near_lanes(LaneWindow w, std::int64_t i, std::int64_t below, const Vec<std::int32_t>& where, std::int64_t columns) {
  Vec<std::int32_t> is_chosen[few_lane_rows];
  for (std::int64_t r = 0; r < below; ++r) is_chosen[r] = where == static_cast<std::int32_t>(i + 1 + r) - Vec<std::int32_t>{};
  for (std::int64_t j = 0; j < columns; ++j) {
    const Vec<float> old = load<Vec<float>>(w.at(i, j));
    Vec<float> taken = old;
    for (std::int64_t r = 0; r < below; ++r) {
      float* other = w.at(i + 1 + r, j);
      const Vec<float> v = load<Vec<float>>(other);
      store(other, is_chosen[r] ? old : v);
      taken = is_chosen[r] ? v : taken;
    }
    store(w.at(i, j), taken);
  }
}

// The same of a column of n rows in registers, with one of the rows from `begin` on.
template <int n>
MPSKIT_INLINE void exchange_registers(Vec<float> (&v)[n], int i, const Vec<std::int32_t>& where, int begin) {
  const Vec<float> old = v[i];
#pragma GCC unroll 8
  for (int r = begin; r < n; ++r) {
    const Vec<std::int32_t> is_chosen = where == r - Vec<std::int32_t>{};
    v[i] = is_chosen ? v[r] : v[i];
    if (r != i) v[r] = is_chosen ? old : v[r];
  }
}

// Tiles of a factorization: so many columns and rows at a time that their sums fill the registers.
inline constexpr int lane_rows_of_tile = has_32_registers ? 4 : 3;
template <int rows, int columns>
using LaneTile = Vec<float>[rows][columns];
template <int rows, int columns>
MPSKIT_INLINE void load_tile(LaneWindow w, std::int64_t i, std::int64_t j, LaneTile<rows, columns>& t) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) t[r][c] = load<Vec<float>>(w.at(i + r, j + c));
}
template <int rows, int columns>
MPSKIT_INLINE void store_tile(LaneWindow w, std::int64_t i, std::int64_t j, const LaneTile<rows, columns>& t) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) store(w.at(i + r, j + c), t[r][c]);
}
// t -= rows i... of a times columns j... of b, `terms` terms.
template <int rows, int columns>
MPSKIT_INLINE void subtract_lanes(LaneWindow a, std::int64_t i, LaneWindow b, std::int64_t j, std::int64_t terms, LaneTile<rows, columns>& t) {
  for (std::int64_t k = 0; k < terms; ++k) {
    Vec<float> f[rows];
    for (int r = 0; r < rows; ++r) f[r] = load<Vec<float>>(a.at(i + r, k));
    for (int c = 0; c < columns; ++c) {
      const Vec<float> v = load<Vec<float>>(b.at(k, j + c));
      for (int r = 0; r < rows; ++r) t[r][c] = less_product(f[r], v, t[r][c]);
    }
  }
}
// f(number of columns, first) for the tiles of columns [begin, end), and g(number of rows, first) for those of rows: the numbers are
// constants.
template <class F>
MPSKIT_INLINE void each_tile_column(std::int64_t begin, std::int64_t end, F&& f) {
  std::int64_t j = begin;
  for (; j + 4 <= end; j += 4) f(std::integral_constant<int, 4>{}, j);
  for (; j + 2 <= end; j += 2) f(std::integral_constant<int, 2>{}, j);
  if (j < end) f(std::integral_constant<int, 1>{}, j);
}
template <int most = lane_rows_of_tile, class G>
MPSKIT_INLINE void each_tile_row(std::int64_t begin, std::int64_t end, G&& g) {
  std::int64_t i = begin;
  // Four rows are twice two: a tile of one row has too few sums in flight.
  for (; end - i >= most && (most != 3 || end - i != 4); i += most) g(std::integral_constant<int, most>{}, i);
  for (; i + 2 <= end; i += 2) g(std::integral_constant<int, 2>{}, i);
  if (i < end) g(std::integral_constant<int, 1>{}, i);
}

// t * X = x for a lower triangle t of every lane, in place.
template <int columns>
MPSKIT_INLINE void lane_substitution(LaneWindow t, bool is_unit, std::int64_t n, LaneWindow x, std::int64_t c) {
  using V = Vec<float>;
  each_tile_row<columns == 1 ? 8 : lane_rows_of_tile>(0, n, [&](auto height, std::int64_t i) __attribute__((always_inline)) {
    constexpr int rows = decltype(height)::value;
    LaneTile<rows, columns> sum;
    load_tile<rows, columns>(x, i, c, sum);
    subtract_lanes<rows, columns>(t, i, x, c, i, sum);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      if (!is_unit) {
        const V d = load<V>(t.at(i + r, i + r));
        for (int q = 0; q < columns; ++q) sum[r][q] /= d;
      }
#pragma GCC unroll 8
      for (int s = r + 1; s < rows; ++s) {
        const V f = load<V>(t.at(i + s, i + r));
        for (int q = 0; q < columns; ++q) sum[s][q] = less_product(f, sum[r][q], sum[s][q]);
      }
    }
    store_tile<rows, columns>(x, i, c, sum);
  });
}
inline void solve_lanes(LaneWindow t, bool is_lower, bool is_unit, std::int64_t n, LaneWindow x, std::int64_t columns) {
  n = std::min(n, lane_order);  // compilers want to know
  // From its last row and column on an upper triangle is a lower one.
  const LaneWindow lower = is_lower ? t : LaneWindow{t.at(n - 1, n - 1), -t.row, -t.column}, y = is_lower ? x : LaneWindow{x.at(n - 1, 0), -x.row, x.column};
  std::int64_t c = 0;
  for (; c + 4 <= columns; c += 4) lane_substitution<4>(lower, is_unit, n, y, c);
  for (; c < columns; ++c) lane_substitution<1>(lower, is_unit, n, y, c);
}

// Groups of a batch, a register's lanes each: body(first matrix, count), several groups at once. `work` is multiply-adds of one matrix,
// `elements` what is read and written of it.
template <class F>
void for_each_group(std::int64_t matrices, double work, std::int64_t elements, F&& body) {
  const std::int64_t groups = (matrices + lanes<float> - 1) / lanes<float>;
  // Some 5 us a task; tasks of equal length. A few are one a thread: the kernel that follows then finds what this one wrote with the thread that wrote it.
  auto tasks = std::clamp<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(groups) * (work + 4.0 * static_cast<double>(elements) + 100) / 1.2e4), 1, groups);
  if (tasks < 4 * num_threads()) tasks = std::min<std::int64_t>(tasks, num_threads());
  // Of groups that lie beside each other: what a machine, or a kernel, asks for ahead is then used by the same thread.
  const std::int64_t runs = 8 * num_threads();
  parallel_for(groups, std::max((groups + tasks - 1) / tasks, (groups + runs - 1) / runs), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) body(g * lanes<float>, std::min<std::int64_t>(lanes<float>, matrices - g * lanes<float>));
  });
}
// Whether a batch of that order goes this way: most lanes must have work.
inline bool fits_lanes(std::int64_t order, std::int64_t matrices) { return order <= lane_order && matrices * 2 >= lanes<float>; }

}  // namespace mpskit::cpu::MPSKIT_ISA
