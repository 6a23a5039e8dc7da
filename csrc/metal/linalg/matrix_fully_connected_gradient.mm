#include "kernels/linalg/matrix_fully_connected_gradient.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixFullyConnectedGradient& k, const Call& call, const Context& context)
      : gradient_(k.primary_source_matrix_origin), other_(k.secondary_source_matrix_origin), result_(k.result_matrix_origin),
        product_(k.product(call.inputs, call.outputs)), filter_(made(adopt([[MPSMatrixFullyConnectedGradient alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], gradient_), Staged::origin(call.inputs[1], other_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), {product_.rows, product_.inputs, product_.matrices});
    filter_.get().sourceOutputFeatureChannels = count_of(product_.outputs);
    filter_.get().alpha = product_.alpha;
  }

  static std::optional<std::string> refuses(const linalg::MatrixFullyConnectedGradient& k, const Call& call, const Context&) {
    const auto p = k.product(call.inputs, call.outputs);
    if (p.matrices.count > 0 && (p.rows == 0 || p.inputs == 0 || p.outputs == 0))
      return std::string("an operand has no elements; allowed: one or more rows and channels on Metal. Pass device=\"cpu\".");
    return std::nullopt;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const auto& p = product_;
    each_matrix({p.rows, p.outputs, p.matrices}, [&](std::int64_t i) {
      Staged staged(e);
      MPSMatrix* gradient = staged.read(o[0], i, gradient_, p.rows, p.outputs);
      MPSMatrix* other = staged.read(o[1], i, other_, p.is_for_data ? p.inputs : p.rows, p.is_for_data ? p.outputs : p.inputs);
      MPSMatrix* result = staged.write(o[2], i, result_, p.result().rows, p.result().columns);
      if (p.is_for_data)
        [filter_.get() encodeGradientForDataToCommandBuffer:e.commands() gradientMatrix:gradient weightMatrix:other resultGradientForDataMatrix:result];
      else
        [filter_.get() encodeGradientForWeightsAndBiasToCommandBuffer:e.commands()
                                                       gradientMatrix:gradient
                                                          inputMatrix:other
                                        resultGradientForWeightMatrix:result
                                          resultGradientForBiasVector:staged.write_vector(o[3], i, p.outputs)];
      staged.finish();
    });
  }

 private:
  Origin gradient_, other_, result_;
  linalg::MatrixFullyConnectedGradient::Product product_;
  retained<MPSMatrixFullyConnectedGradient*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixFullyConnectedGradient, Plan)
