#include "cpu/linalg/columns.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixNeuronGradientPlan final : public CpuPlan {
 public:
  MatrixNeuronGradientPlan(const linalg::MatrixNeuronGradient& k, const Call& call)
      : descriptor_(k.neuron),
        neuron_(descriptor_.resolved()),
        alpha_(linalg::in_precision_of(call.outputs[0].dtype, k.alpha)),
        window_(k.window(call.inputs, call.outputs)),
        gradient_(call.inputs[0], k.primary_source_matrix_origin, window_.matrices),
        source_(call.inputs[1], k.secondary_source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    const View &result = v[v.size() - 2], &bias_gradient = v.back();
    const DType t = v[0].layout.dtype;
    each_column_block(window_, [&](std::int64_t matrix, std::int64_t first, std::int64_t n) {
      const ColumnNumbers bias(v.size() > 4 ? v[2] : View{}, window_.matrices.first + matrix, window_.columns);
      ColumnSums sums;
      for (std::int64_t row = 0; row < window_.rows; ++row) {
        float u[column_block], g[column_block];
        load_part(t, source_.row(v[1], matrix, row), first, n, u);
        load_part(t, gradient_.row(v[0], matrix, row), first, n, g);
        scale_and_add(u, n, alpha_, bias.get() ? bias.get() + first : nullptr);
        differentiate_neuron(neuron_, u, n, first);
        for (std::int64_t i = 0; i < n; ++i) g[i] *= u[i];
        sums.add(n, [&](std::int64_t i) { return g[i]; });
        for (std::int64_t i = 0; i < n; ++i) g[i] *= alpha_;
        store_part(g, t, result_.row(result, matrix, row), first, n);
      }
      store_totals(sums.totals(), bias_gradient, window_.matrices.first + matrix, first, n);
    });
  }

 private:
  cnn::NeuronDescriptor descriptor_;  // owns the slopes
  cnn::Neuron neuron_;
  float alpha_;
  linalg::Window window_;
  WindowPlace gradient_, source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixNeuronGradient, MatrixNeuronGradientPlan)
