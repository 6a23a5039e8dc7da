#pragma once
// A row times a matrix, of floats, halves or doubles: y += x[i] * row i, which is the speed of memory.
#include "cpu/simd/terms.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// y += x[i] * row i of a, for some columns: several rows at a time, streams enough for the memory, through a strip of y that stays in L1.
template <int together, class T, class S = SumOf<T>>
MPSKIT_INLINE void add_some_rows(const T* a, std::ptrdiff_t stride, std::int64_t columns, const S* x, S* y) {
  using V = Vec<S>;
  constexpr std::int64_t width = lanes<S>;
  V f[together];
  for (int r = 0; r < together; ++r) f[r] = x[r] - V{};
  std::int64_t j = 0;
  for (; j + width <= columns; j += width) {
    V sum = load<V>(y + j);
    for (int r = 0; r < together; ++r) sum = multiply_add(load_terms(a + r * stride + j), f[r], sum);
    store(y + j, sum);
  }
  for (; j < columns; ++j)
    for (int r = 0; r < together; ++r) y[j] += as_sum(a[r * stride + j]) * x[r];
}
template <class T, class S = SumOf<T>>
void add_rows(const T* a, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns, const S* x, S* y) {
  std::int64_t i = 0;
  for (; i + 8 <= rows; i += 8) add_some_rows<8>(a + i * stride, stride, columns, x + i, y);
  for (; i < rows; ++i) add_some_rows<1>(a + i * stride, stride, columns, x + i, y);
}

// What a task takes, by size alone: sums do not depend on the number of threads.
inline constexpr std::int64_t row_task_elements = 1 << 17;
inline constexpr std::int64_t strip_columns = 4096, strip_rows = 512;  // 16 KiB of y (32 of float64): half of L1, and rows are read in long pieces

// sums = x @ a, of n rows: strips of columns, and of rows where those alone would be few.
template <class T, class S = SumOf<T>>
void multiply_row(const T* a, std::ptrdiff_t stride, std::int64_t n, std::int64_t columns, const S* x, S* sums) {
  const std::int64_t across = (columns + strip_columns - 1) / strip_columns;
  const std::int64_t down = across >= 8 ? 1 : std::max<std::int64_t>(1, std::min<std::int64_t>(8, n / strip_rows));
  const Scratch partial(static_cast<std::size_t>(down > 1 ? down * columns : 0) * sizeof(S));
  const std::int64_t tasks = across * down, work = std::min(strip_columns, columns) * std::max<std::int64_t>(1, n / down);
  parallel_for(tasks, std::max<std::int64_t>(1, row_task_elements / (work + 1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t c = t % across, d = t / across, first = c * strip_columns, some = std::min(strip_columns, columns - first);
      const std::int64_t top = d * n / down, bottom = (d + 1) * n / down;
      S* y = (down > 1 ? partial.as<S>() + d * columns : sums) + first;
      std::fill(y, y + some, S{});
      add_rows(a + top * stride + first, stride, bottom - top, some, x + top, y);
    }
  });
  if (down == 1) return;
  for (std::int64_t j = 0; j < columns; ++j) {
    S total = 0;
    for (std::int64_t d = 0; d < down; ++d) total += partial.as<S>()[d * columns + j];
    sums[j] = total;
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
