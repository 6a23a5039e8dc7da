#include "kernels/linalg/matrix_find_top_k.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixFindTopK& k, const Call& call, const Context& context)
      : window_(k.window(call.inputs[0], &call.outputs[0], &call.outputs[1])),
        filter_(made(adopt([[MPSMatrixFindTopK alloc] initWithDevice:context.device() numberOfTopKValues:count_of(k.number_of_top_k_values)]), context, k)) {
    set_origins(filter_.get(), k);
    filter_.get().sourceRows = count_of(window_.rows);
    filter_.get().sourceColumns = count_of(window_.columns);
    filter_.get().indexOffset = count_of(k.index_offset);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    each_matrix(window_, [&](std::int64_t i) {
      [filter_.get() encodeToCommandBuffer:e.commands() inputMatrix:e.matrix(o[0], i, 1) resultIndexMatrix:e.matrix(o[1], i, 1) resultValueMatrix:e.matrix(o[2], i, 1)];
    });
  }

 private:
  linalg::Window window_;
  retained<MPSMatrixFindTopK*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixFindTopK, Plan)
