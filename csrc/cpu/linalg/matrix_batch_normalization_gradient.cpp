#include "cpu/linalg/columns.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixBatchNormalizationGradientPlan final : public CpuPlan {
 public:
  MatrixBatchNormalizationGradientPlan(const linalg::MatrixBatchNormalizationGradient& k, const Call& call)
      : epsilon_(k.epsilon), neuron_(k.neuron.resolved()), inputs_(call.inputs.size()), window_(k.window(call.inputs, call.outputs)),
        gradient_(call.inputs[0], k.primary_source_matrix_origin, window_.matrices), source_(call.inputs[1], k.secondary_source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    each_column_block(window_, [&](std::int64_t matrix, std::int64_t first, std::int64_t n) {
      const auto numbers = [&](std::size_t index) { return ColumnNumbers(index < inputs_ ? v[index] : View{}, window_.matrices.first + matrix, window_.columns); };
      const ColumnNumbers means = numbers(2), variances = numbers(3), gammas = numbers(4), betas = numbers(5);
      Block b{};
      for (std::int64_t i = 0; i < n; ++i) {
        b.mean[i] = means.get()[first + i];
        b.scale[i] = static_cast<float>(1 / std::sqrt(double{variances.get()[first + i]} + double{epsilon_}));
        b.gamma[i] = gammas.get() ? gammas.get()[first + i] : 1;
        b.beta[i] = betas.get() ? betas.get()[first + i] : 0;
      }
      float normal[column_block], g[column_block];
      ColumnSums for_gamma, for_beta;
      for (std::int64_t row = 0; row < window_.rows; ++row) {
        load(v, matrix, row, first, n, b, normal, g);
        for_gamma.add(n, [&](std::int64_t i) { return g[i] * normal[i]; });
        for_beta.add(n, [&](std::int64_t i) { return g[i]; });
      }
      const double *gamma_sums = for_gamma.totals(), *beta_sums = for_beta.totals(), rows = static_cast<double>(window_.rows);
      float gamma_mean[column_block], beta_mean[column_block];
      for (std::int64_t i = 0; i < n; ++i) gamma_mean[i] = static_cast<float>(gamma_sums[i] / rows), beta_mean[i] = static_cast<float>(beta_sums[i] / rows);
      for (std::int64_t row = 0; row < window_.rows; ++row) {
        load(v, matrix, row, first, n, b, normal, g);
        for (std::int64_t i = 0; i < n; ++i) g[i] = b.gamma[i] * b.scale[i] * (g[i] - beta_mean[i] - normal[i] * gamma_mean[i]);
        store_part(g, v[0].layout.dtype, result_.row(v[inputs_], matrix, row), first, n);
      }
      store_totals(gamma_sums, v[inputs_ + 1], window_.matrices.first + matrix, first, n);
      store_totals(beta_sums, v[inputs_ + 2], window_.matrices.first + matrix, first, n);
    });
  }

 private:
  struct Block {
    float mean[column_block], scale[column_block], gamma[column_block], beta[column_block];
  };
  // The normalized source, and the gradient behind the neuron.
  void load(std::span<const View> v, std::int64_t matrix, std::int64_t row, std::int64_t first, std::int64_t n, const Block& b, float* normal, float* g) const {
    const DType t = v[0].layout.dtype;
    float u[column_block];
    load_part(t, source_.row(v[1], matrix, row), first, n, normal);
    load_part(t, gradient_.row(v[0], matrix, row), first, n, g);
    for (std::int64_t i = 0; i < n; ++i) {
      normal[i] = (normal[i] - b.mean[i]) * b.scale[i];
      u[i] = normal[i] * b.gamma[i] + b.beta[i];
    }
    differentiate_neuron(neuron_, u, n, first);
    for (std::int64_t i = 0; i < n; ++i) g[i] *= u[i];
  }

  float epsilon_;
  cnn::Neuron neuron_;
  std::size_t inputs_;
  linalg::Window window_;
  WindowPlace gradient_, source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixBatchNormalizationGradient, MatrixBatchNormalizationGradientPlan)
