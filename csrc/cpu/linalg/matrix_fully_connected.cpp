#include "cpu/gemm/gemm.hpp"
#include "cpu/linalg/layer.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixFullyConnectedPlan final : public CpuPlan {
 public:
  MatrixFullyConnectedPlan(const linalg::MatrixFullyConnected& k, const Call& call)
      : neuron_(k.neuron.resolved()),
        product_(k.product(call.inputs, &call.outputs[0])),
        source_(call.inputs[0], k.primary_source_matrix_origin, product_.matrices),
        weights_(call.inputs[1], k.secondary_source_matrix_origin, product_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, product_.matrices) {
    const DType t = call.inputs[0].dtype;
    gemm_.m = product_.rows;
    gemm_.n = product_.outputs;
    gemm_.k = product_.inputs;
    gemm_.alpha = product_.alpha;
    gemm_.a.matrix = {nullptr, t, source_.row_bytes(), false};
    gemm_.b = {nullptr, t, weights_.row_bytes(), false};
    gemm_.c = {nullptr, t, result_.row_bytes()};
  }

  void run(std::span<const View> v) const override {
    const auto finish = [this](const GemmTile& tile) {
      for (std::int64_t i = 0; i < tile.rows; ++i) apply_neuron(neuron_, tile.values + i * tile.stride, tile.columns, tile.first_column);
    };
    Gemm g = gemm_;
    if (neuron_.type != cnn::NeuronType::none) g.finish = finish_with(finish);
    for (std::int64_t i = 0; i < product_.matrices.count; ++i) {
      const ColumnNumbers bias(v.size() > 3 ? v[2] : View{}, product_.matrices.first + i, product_.outputs);
      g.bias = bias.get();
      g.a.matrix.data = source_.row(v[0], i, 0);
      g.b.data = weights_.row(v[1], i, 0);
      g.c.data = result_.row(v.back(), i, 0);
      gemm(g);
    }
  }

 private:
  cnn::Neuron neuron_;
  linalg::MatrixFullyConnected::Product product_;
  WindowPlace source_, weights_, result_;
  Gemm gemm_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixFullyConnected, MatrixFullyConnectedPlan)
