#include "kernels/linalg/matrix_neuron_gradient.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixNeuronGradient& k, const Call& call, const Context& context)
      : gradient_(k.primary_source_matrix_origin), source_(k.secondary_source_matrix_origin), result_(k.result_matrix_origin),
        window_(k.window(call.inputs, call.outputs)), filter_(made(adopt([[MPSMatrixNeuronGradient alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], gradient_), Staged::origin(call.inputs[1], source_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), window_);
    set_neuron_or_slopes(filter_.get(), k.neuron.resolved());
    filter_.get().alpha = linalg::in_precision_of(call.outputs[0].dtype, k.alpha);
  }

  static std::optional<std::string> refuses(const linalg::MatrixNeuronGradient& k, const Call& call, const Context&) { return refuses_no_rows(k.window(call.inputs, call.outputs)); }

  void encode(Encoder& e, std::span<const Operand> o) override {
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      [filter_.get() encodeToCommandBuffer:e.commands()
                            gradientMatrix:staged.read(o[0], i, gradient_, window_.rows, window_.columns)
                               inputMatrix:staged.read(o[1], i, source_, window_.rows, window_.columns)
                                biasVector:o.size() > 4 ? staged.read_vector(o[2], i, window_.columns) : nil
               resultGradientForDataMatrix:staged.write(o[o.size() - 2], i, result_, window_.rows, window_.columns)
               resultGradientForBiasVector:staged.write_vector(o.back(), i, window_.columns)];
      staged.finish();
    });
  }

 private:
  Origin gradient_, source_, result_;
  linalg::Window window_;
  retained<MPSMatrixNeuronGradient*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixNeuronGradient, Plan)
