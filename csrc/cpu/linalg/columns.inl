#pragma once
// Sums over the rows of matrices, a block of columns at a time.
#include "cpu/linalg/layer.inl"

namespace mpskit::cpu::MPSKIT_ISA {

inline constexpr std::int64_t column_block = 64;  // 256 bytes of each row: four cache lines

// body(matrix, first column, columns) for all blocks of columns of a window, in parallel.
template <class F>
void each_column_block(const linalg::Window& w, F&& body) {
  const std::int64_t blocks = (w.columns + column_block - 1) / column_block;
  parallel_for(w.matrices.count * blocks, rows_a_task(w.rows * column_block), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      const std::int64_t column = b % blocks * column_block;
      body(b / blocks, column, std::min(column_block, w.columns - column));
    }
  });
}

// Sums of so many rows in float32 go on in float64: they stay as exact with many rows as with few.
class ColumnSums {
 public:
  template <class F>  // value(i): what this row adds to column i
  void add(std::int64_t columns, F&& value) {
    for (std::int64_t i = 0; i < columns; ++i) part_[i] += value(i);
    if (++rows_ == 32) flush();
  }
  const double* totals() {
    flush();
    return totals_;
  }

 private:
  void flush() {
    for (std::int64_t i = 0; i < column_block; ++i) {
      totals_[i] += double{part_[i]};
      part_[i] = 0;
    }
    rows_ = 0;
  }
  float part_[column_block] = {};
  double totals_[column_block] = {};
  int rows_ = 0;
};

// Part of a row as floats, and back.
inline void load_part(DType t, const std::byte* row, std::int64_t first, std::int64_t count, float* out) {
  to_float(t, row + first * static_cast<std::int64_t>(size_of(t)), count, out);
}
inline void store_part(const float* values, DType t, std::byte* row, std::int64_t first, std::int64_t count) {
  from_float(values, t, row + first * static_cast<std::int64_t>(size_of(t)), count);
}
// Totals to a vector of one matrix.
inline void store_totals(const double* totals, const View& v, std::int64_t matrix, std::int64_t first, std::int64_t count) {
  float values[column_block];
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(totals[i]);
  store_part(values, v.layout.dtype, v.vector<std::byte>(matrix), first, count);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
