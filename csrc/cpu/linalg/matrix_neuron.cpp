#include "cpu/linalg/layer.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixNeuronPlan final : public CpuPlan {
 public:
  MatrixNeuronPlan(const linalg::MatrixNeuron& k, const Call& call)
      : descriptor_(k.neuron),
        neuron_(descriptor_.resolved()),
        alpha_(linalg::in_precision_of(call.outputs[0].dtype, k.alpha)),
        window_(k.window(call.inputs, &call.outputs[0])),
        source_(call.inputs[0], k.source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    const View &source = v[0], &result = v.back();
    const std::int64_t n = window_.columns;
    const bool is_float = result.layout.dtype == DType::f32;  // then the row of the result is where the work is done
    each_row(window_, [&](std::int64_t matrix, std::int64_t row) {
      const Scratch scratch(is_float ? 0 : static_cast<std::size_t>(n) * sizeof(float));
      float* x = is_float ? result_.row<float>(result, matrix, row) : scratch.as<float>();
      to_float(source.layout.dtype, source_.row(source, matrix, row), n, x);
      const ColumnNumbers bias(v.size() > 2 ? v[1] : View{}, window_.matrices.first + matrix, n);
      scale_and_add(x, n, alpha_, bias.get());
      apply_neuron(neuron_, x, n, 0);
      if (!is_float) from_float(x, DType::f16, result_.row(result, matrix, row), n);
    });
  }

 private:
  cnn::NeuronDescriptor descriptor_;  // owns the slopes
  cnn::Neuron neuron_;
  float alpha_;
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixNeuron, MatrixNeuronPlan)
