#include "kernels/linalg/matrix_vector_multiplication.hpp"

#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixVectorMultiplication& k, const Call& call, const Context& context)
      : product_(k.product(call.inputs[0], call.inputs[1], &call.outputs[0])), row_{0, k.result_matrix_origin.x, 0} {
    if (product_.rows == 0 || product_.columns == 0 || product_.alpha == 0) return;  // MPS has no empty products
    filter_ = made(adopt([[MPSMatrixVectorMultiplication alloc] initWithDevice:context.device()
                                                                     transpose:k.transpose ? YES : NO
                                                                          rows:count_of(product_.rows)
                                                                       columns:count_of(product_.columns)
                                                                         alpha:product_.alpha
                                                                          beta:product_.beta]),
                   context, k);
    set_origins(filter_.get(), k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (product_.rows == 0 || product_.batch.count == 0) return;
    // MPS does not say that beta 0 leaves NaN of the old result behind: nothing is left there for it to read.
    if (!filter_ || product_.beta == 0) scale_window(e, as_rows(o[2]), product_.batch, row_, {1, product_.rows}, static_cast<float>(product_.beta));
    if (!filter_) return;
    each_matrix(product_.batch, [&](std::int64_t m) {
      [filter_.get() encodeToCommandBuffer:e.commands() inputMatrix:e.matrix(o[0], m, 1) inputVector:e.vector(o[1], m, 1) resultVector:e.vector(o[2], m, 1)];
    });
  }

 private:
  linalg::MatrixVectorMultiplication::Product product_;
  Origin row_;  // of the result, as a matrix of one row
  retained<MPSMatrixVectorMultiplication*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixVectorMultiplication, Plan)
