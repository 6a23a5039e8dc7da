#include "kernels/linalg/matrix_batch_normalization.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixBatchNormalization& k, const Call& call, const Context& context)
      : source_(k.source_matrix_origin), result_(k.result_matrix_origin), computes_(k.compute_statistics), gamma_(k.gamma_index()), inputs_(call.inputs.size()),
        window_(k.window(call.inputs, call.outputs)), filter_(made(adopt([[MPSMatrixBatchNormalization alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], source_), Staged::origin(call.outputs[0], result_));
    set_features(filter_.get(), window_);
    set_neuron(filter_.get(), k.neuron.resolved());
    filter_.get().epsilon = k.epsilon;
    filter_.get().computeStatistics = computes_ ? YES : NO;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const std::int64_t n = window_.columns;
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      const auto optional = [&](std::size_t index) { return index < inputs_ ? staged.read_vector(o[index], i, n) : nil; };
      [filter_.get() encodeToCommandBuffer:e.commands()
                               inputMatrix:staged.read(o[0], i, source_, window_.rows, n)
                                meanVector:computes_ ? staged.write_vector(o[inputs_ + 1], i, n) : staged.read_vector(o[1], i, n)
                            varianceVector:computes_ ? staged.write_vector(o[inputs_ + 2], i, n) : staged.read_vector(o[2], i, n)
                               gammaVector:optional(gamma_)
                                betaVector:optional(gamma_ + 1)
                              resultMatrix:staged.write(o[inputs_], i, result_, window_.rows, n)];
      staged.finish();
    });
  }

 private:
  Origin source_, result_;
  bool computes_;
  std::size_t gamma_, inputs_;
  linalg::Window window_;
  retained<MPSMatrixBatchNormalization*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixBatchNormalization, Plan)
