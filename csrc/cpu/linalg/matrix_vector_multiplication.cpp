#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// What sums are kept in.
template <class T>
using SumOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

MPSKIT_INLINE Vec<float> load_terms(const float* p) { return load<Vec<float>>(p); }
MPSKIT_INLINE Vec<float> load_terms(const std::uint16_t* p) { return load_half(p); }
MPSKIT_INLINE Vec<double> load_terms(const double* p) { return load<Vec<double>>(p); }
template <class T>
MPSKIT_INLINE SumOf<T> as_sum(T v) {
  if constexpr (std::is_same_v<T, std::uint16_t>) return half_to_float(v);
  else return v;
}
template <class T>
MPSKIT_INLINE void put(T* p, SumOf<T> v) {
  if constexpr (std::is_same_v<T, std::uint16_t>) *p = float_to_half(v);
  else *p = v;
}

template <class S>
S total_of(Vec<S> v) {
  S lane[lanes<S>];
  store(lane, v);
  for (int half = lanes<S> / 2; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  return lane[0];
}

// Rows of a matrix times x: several rows at once, which share x and are streams enough for the memory.
template <int rows, class T, class S = SumOf<T>>
MPSKIT_INLINE void row_sums(const T* a, std::ptrdiff_t stride, const S* x, std::int64_t n, S* sums) {
  using V = Vec<S>;
  constexpr std::int64_t width = lanes<S>;
  constexpr int parts = rows == 1 ? 4 : 2;  // sums in flight hide the latency of a multiply-add
  V sum[rows][parts];
  for (auto& row : sum)
    for (V& v : row) v = V{};
  std::int64_t j = 0;
  for (; j + parts * width <= n; j += parts * width)
    for (int p = 0; p < parts; ++p) {
      const V some = load<V>(x + j + p * width);
      for (int r = 0; r < rows; ++r) sum[r][p] = multiply_add(load_terms(a + r * stride + j + p * width), some, sum[r][p]);
    }
  for (; j + width <= n; j += width)
    for (int r = 0; r < rows; ++r) sum[r][0] = multiply_add(load_terms(a + r * stride + j), load<V>(x + j), sum[r][0]);
  for (int r = 0; r < rows; ++r) {
    V all = sum[r][0];
    for (int p = 1; p < parts; ++p) all += sum[r][p];
    S total = total_of<S>(all);
    for (std::int64_t t = j; t < n; ++t) total += as_sum(a[r * stride + t]) * x[t];
    sums[r] = total;
  }
}

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
constexpr std::int64_t task_elements = 1 << 17;
constexpr std::int64_t strip_columns = 4096, strip_rows = 512;  // 16 KiB of y (32 of float64): half of L1, and rows are read in long pieces

class MatrixVectorMultiplicationPlan final : public CpuPlan {
 public:
  MatrixVectorMultiplicationPlan(const linalg::MatrixVectorMultiplication& k, const Call& call)
      : kernel_(k), product_(k.product(call.inputs[0], call.inputs[1], &call.outputs[0])) {}

  void run(std::span<const View> views) const override {
    const auto& p = product_;
    if (p.rows == 0) return;
    auto all = [&](std::int64_t m) {
      m += p.batch.first;
      if (views[0].layout.dtype == DType::f16) product<std::uint16_t>(views, m);
      else if (views[0].layout.dtype == DType::f64) product<double>(views, m);
      else product<float>(views, m);
    };
    const std::int64_t work = p.rows * std::max<std::int64_t>(p.columns, 1);
    if (p.batch.count < num_threads() || work >= 8 * task_elements)
      for (std::int64_t m = 0; m < p.batch.count; ++m) all(m);
    else
      parallel_for(p.batch.count, std::max<std::int64_t>(1, task_elements / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t m = begin; m < end; ++m) all(m);
      });
  }

 private:
  template <class T>
  void product(std::span<const View> views, std::int64_t m) const {
    using S = SumOf<T>;
    const std::int64_t rows = product_.rows, n = product_.alpha == 0 ? 0 : product_.columns;
    const Origin &a_origin = kernel_.primary_source_matrix_origin, &x_origin = kernel_.secondary_source_matrix_origin;
    const T* a = views[0].row<const T>(m, a_origin.x) + a_origin.y;
    const auto stride = static_cast<std::ptrdiff_t>(views[0].layout.row_bytes() / static_cast<std::int64_t>(sizeof(T)));
    const T* given = views[1].vector<const T>(m) + x_origin.x;
    const Scratch scratch(static_cast<std::size_t>(n + (kernel_.transpose ? rows : 0)) * sizeof(S));
    const S* x = nullptr;
    if constexpr (std::is_same_v<T, S>) {
      x = given;
    } else {
      float* converted = scratch.as<float>();
      for (std::int64_t i = 0; i < n; ++i) converted[i] = as_sum(given[i]);
      x = converted;
    }
    if (!kernel_.transpose) {
      parallel_for(rows, std::max<std::int64_t>(4, task_elements / std::max<std::int64_t>(n, 1) / 4 * 4), [&](std::int64_t begin, std::int64_t end) {
        S sums[4];
        std::int64_t i = begin;
        for (; i + 4 <= end; i += 4) {
          row_sums<4>(a + i * stride, stride, x, n, sums);
          finish(views[2], m, i, 4, sums);
        }
        for (; i < end; ++i) {
          row_sums<1>(a + i * stride, stride, x, n, sums);
          finish(views[2], m, i, 1, sums);
        }
      });
      return;
    }
    transposed(a, stride, x, n, scratch.as<S>(static_cast<std::size_t>(n) * sizeof(S)));
    finish(views[2], m, 0, rows, scratch.as<S>(static_cast<std::size_t>(n) * sizeof(S)));
  }

  // sums = a.T @ x: strips of columns, and of rows where those alone would be few.
  template <class T, class S = SumOf<T>>
  void transposed(const T* a, std::ptrdiff_t stride, const S* x, std::int64_t n, S* sums) const {
    const std::int64_t columns = product_.rows, across = (columns + strip_columns - 1) / strip_columns;
    const std::int64_t down = across >= 8 ? 1 : std::max<std::int64_t>(1, std::min<std::int64_t>(8, n / strip_rows));
    const Scratch partial(static_cast<std::size_t>(down > 1 ? down * columns : 0) * sizeof(S));
    const std::int64_t tasks = across * down, work = std::min(strip_columns, columns) * std::max<std::int64_t>(1, n / down);
    parallel_for(tasks, std::max<std::int64_t>(1, task_elements / (work + 1)), [&](std::int64_t begin, std::int64_t end) {
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

  void finish(const View& out, std::int64_t m, std::int64_t first, std::int64_t count, const double* sums) const { finish_as<double>(out, m, first, count, sums); }
  void finish(const View& out, std::int64_t m, std::int64_t first, std::int64_t count, const float* sums) const {
    if (out.layout.dtype == DType::f16) finish_as<std::uint16_t>(out, m, first, count, sums);
    else finish_as<float>(out, m, first, count, sums);
  }
  template <class R, class S = SumOf<R>>
  void finish_as(const View& out, std::int64_t m, std::int64_t first, std::int64_t count, const S* sums) const {
    const auto alpha = static_cast<S>(product_.alpha), beta = static_cast<S>(product_.beta);
    R* y = out.vector<R>(m) + kernel_.result_matrix_origin.x + first;
    for (std::int64_t i = 0; i < count; ++i) {
      S v = alpha * sums[i];
      if (beta != 0) v += beta * as_sum(y[i]);
      put(y + i, v);
    }
  }

  linalg::MatrixVectorMultiplication kernel_;
  linalg::MatrixVectorMultiplication::Product product_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixVectorMultiplication, MatrixVectorMultiplicationPlan)
