#include "kernels/linalg/matrix_fully_connected.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixFullyConnected& k, const Call& call, const Context& context)
      : source_(k.primary_source_matrix_origin), weights_(k.secondary_source_matrix_origin), result_(k.result_matrix_origin),
        product_(k.product(call.inputs, &call.outputs[0])),
        filter_(made(adopt([[MPSMatrixFullyConnected alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], source_), Staged::origin(call.inputs[1], weights_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), {product_.rows, product_.inputs, product_.matrices});
    filter_.get().sourceOutputFeatureChannels = count_of(product_.outputs);
    set_neuron(filter_.get(), k.neuron.resolved());
    filter_.get().alpha = product_.alpha;
  }

  // MPS has no sums of no terms.
  static std::optional<std::string> refuses(const linalg::MatrixFullyConnected& k, const Call& call, const Context&) {
    const auto p = k.product(call.inputs, &call.outputs[0]);
    if (p.inputs == 0 && p.rows > 0 && p.outputs > 0) return std::string("source has no columns; allowed: one or more on Metal. Pass device=\"cpu\".");
    return std::nullopt;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const auto& p = product_;
    each_matrix({p.rows, p.outputs, p.matrices}, [&](std::int64_t i) {
      Staged staged(e);
      [filter_.get() encodeToCommandBuffer:e.commands()
                               inputMatrix:staged.read(o[0], i, source_, p.rows, p.inputs)
                              weightMatrix:staged.read(o[1], i, weights_, p.inputs, p.outputs)
                                biasVector:o.size() > 3 ? staged.read_vector(o[2], i, p.outputs) : nil
                              resultMatrix:staged.write(o.back(), i, result_, p.rows, p.outputs)];
      staged.finish();
    });
  }

 private:
  Origin source_, weights_, result_;
  linalg::MatrixFullyConnected::Product product_;
  retained<MPSMatrixFullyConnected*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixFullyConnected, Plan)
