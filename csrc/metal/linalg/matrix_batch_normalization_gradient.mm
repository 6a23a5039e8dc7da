#include "kernels/linalg/matrix_batch_normalization_gradient.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixBatchNormalizationGradient& k, const Call& call, const Context& context)
      : gradient_(k.primary_source_matrix_origin), source_(k.secondary_source_matrix_origin), result_(k.result_matrix_origin), inputs_(call.inputs.size()),
        window_(k.window(call.inputs, call.outputs)),
        filter_(made(adopt([[MPSMatrixBatchNormalizationGradient alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], gradient_), Staged::origin(call.inputs[1], source_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), window_);
    set_neuron(filter_.get(), k.neuron.resolved());
    filter_.get().epsilon = k.epsilon;
  }

  static std::optional<std::string> refuses(const linalg::MatrixBatchNormalizationGradient& k, const Call& call, const Context&) {
    return refuses_no_rows(k.window(call.inputs, call.outputs));
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const std::int64_t n = window_.columns;
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      const auto optional = [&](std::size_t index) { return index < inputs_ ? staged.read_vector(o[index], i, n) : nil; };
      [filter_.get() encodeToCommandBuffer:e.commands()
                            gradientMatrix:staged.read(o[0], i, gradient_, window_.rows, n)
                               inputMatrix:staged.read(o[1], i, source_, window_.rows, n)
                                meanVector:staged.read_vector(o[2], i, n)
                            varianceVector:staged.read_vector(o[3], i, n)
                               gammaVector:optional(4)
                                betaVector:optional(5)
               resultGradientForDataMatrix:staged.write(o[inputs_], i, result_, window_.rows, n)
              resultGradientForGammaVector:staged.write_vector(o[inputs_ + 1], i, n)
               resultGradientForBetaVector:staged.write_vector(o[inputs_ + 2], i, n)];
      staged.finish();
    });
  }

 private:
  Origin gradient_, source_, result_;
  std::size_t inputs_;
  linalg::Window window_;
  retained<MPSMatrixBatchNormalizationGradient*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixBatchNormalizationGradient, Plan)
