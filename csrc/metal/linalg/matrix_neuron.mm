#include "kernels/linalg/matrix_neuron.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixNeuron& k, const Call& call, const Context& context)
      : source_(k.source_matrix_origin), result_(k.result_matrix_origin), window_(k.window(call.inputs, &call.outputs[0])),
        filter_(made(adopt([[MPSMatrixNeuron alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], source_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), window_);
    set_neuron_or_slopes(filter_.get(), k.neuron.resolved());
    filter_.get().alpha = linalg::in_precision_of(call.outputs[0].dtype, k.alpha);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      [filter_.get() encodeToCommandBuffer:e.commands()
                               inputMatrix:staged.read(o[0], i, source_, window_.rows, window_.columns)
                                biasVector:o.size() > 2 ? staged.read_vector(o[1], i, window_.columns) : nil
                              resultMatrix:staged.write(o.back(), i, result_, window_.rows, window_.columns)];
      staged.finish();
    });
  }

 private:
  Origin source_, result_;
  linalg::Window window_;
  retained<MPSMatrixNeuron*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixNeuron, Plan)
