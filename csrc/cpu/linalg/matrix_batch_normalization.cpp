#include "cpu/linalg/columns.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixBatchNormalizationPlan final : public CpuPlan {
 public:
  MatrixBatchNormalizationPlan(const linalg::MatrixBatchNormalization& k, const Call& call)
      : computes_(k.compute_statistics), epsilon_(k.epsilon), neuron_(k.neuron.resolved()), gamma_(k.gamma_index()), inputs_(call.inputs.size()),
        window_(k.window(call.inputs, call.outputs)), source_(call.inputs[0], k.source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    if (window_.rows == 0) return;
    const DType t = v[0].layout.dtype;
    const auto numbers = [&](std::size_t index, std::int64_t matrix) {
      return ColumnNumbers(index < inputs_ ? v[index] : View{}, window_.matrices.first + matrix, window_.columns);
    };
    each_column_block(window_, [&](std::int64_t matrix, std::int64_t first, std::int64_t n) {
      float mean[column_block], factor[column_block];
      double variance[column_block];
      if (computes_) {
        find_statistics(v, matrix, first, n, mean, variance);
      } else {
        const ColumnNumbers means = numbers(1, matrix), variances = numbers(2, matrix);
        for (std::int64_t i = 0; i < n; ++i) mean[i] = means.get()[first + i], variance[i] = double{variances.get()[first + i]};
      }
      const ColumnNumbers gamma = numbers(gamma_, matrix), beta = numbers(gamma_ + 1, matrix);
      for (std::int64_t i = 0; i < n; ++i) factor[i] = static_cast<float>((gamma.get() ? double{gamma.get()[first + i]} : 1) / std::sqrt(variance[i] + double{epsilon_}));
      for (std::int64_t row = 0; row < window_.rows; ++row) {
        float x[column_block];
        load_part(t, source_.row(v[0], matrix, row), first, n, x);
        for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - mean[i]) * factor[i];
        if (beta.get())
          for (std::int64_t i = 0; i < n; ++i) x[i] += beta.get()[first + i];
        apply_neuron(neuron_, x, n, first);
        store_part(x, t, result_.row(v[inputs_], matrix, row), first, n);
      }
    });
  }

 private:
  // In two passes, the second around the mean: no digits are lost to a large one.
  void find_statistics(std::span<const View> v, std::int64_t matrix, std::int64_t first, std::int64_t n, float* mean, double* variance) const {
    const auto rows = static_cast<double>(window_.rows);
    const DType t = v[0].layout.dtype;
    float x[column_block];
    double exact[column_block];
    ColumnSums sums, squares;
    for (std::int64_t row = 0; row < window_.rows; ++row) {
      load_part(t, source_.row(v[0], matrix, row), first, n, x);
      sums.add(n, [&](std::int64_t i) { return x[i]; });
    }
    for (std::int64_t i = 0; i < n; ++i) {
      exact[i] = sums.totals()[i] / rows;
      mean[i] = static_cast<float>(exact[i]);
    }
    for (std::int64_t row = 0; row < window_.rows; ++row) {
      load_part(t, source_.row(v[0], matrix, row), first, n, x);
      squares.add(n, [&](std::int64_t i) { return (x[i] - mean[i]) * (x[i] - mean[i]); });
    }
    for (std::int64_t i = 0; i < n; ++i) variance[i] = squares.totals()[i] / rows;
    store_totals(exact, v[inputs_ + 1], window_.matrices.first + matrix, first, n);
    store_totals(variance, v[inputs_ + 2], window_.matrices.first + matrix, first, n);
  }

  bool computes_;
  float epsilon_;
  cnn::Neuron neuron_;
  std::size_t gamma_, inputs_;
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixBatchNormalization, MatrixBatchNormalizationPlan)
