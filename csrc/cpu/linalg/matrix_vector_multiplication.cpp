#include "cpu/gemm/row_product.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

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
    if (p.batch.count < num_threads() || work >= 8 * row_task_elements)
      for (std::int64_t m = 0; m < p.batch.count; ++m) all(m);
    else
      parallel_for(p.batch.count, std::max<std::int64_t>(1, row_task_elements / work), [&](std::int64_t begin, std::int64_t end) {
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
      parallel_for(rows, std::max<std::int64_t>(4, row_task_elements / std::max<std::int64_t>(n, 1) / 4 * 4), [&](std::int64_t begin, std::int64_t end) {
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
    multiply_row(a, stride, n, rows, x, scratch.as<S>(static_cast<std::size_t>(n) * sizeof(S)));
    finish(views[2], m, 0, rows, scratch.as<S>(static_cast<std::size_t>(n) * sizeof(S)));
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
