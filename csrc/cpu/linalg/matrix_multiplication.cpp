#include "cpu/gemm/gemm.hpp"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixMultiplicationPlan final : public CpuPlan {
 public:
  MatrixMultiplicationPlan(const linalg::MatrixMultiplication& k, const Call& call)
      : product_(k.product(call.inputs[0], call.inputs[1], &call.outputs[0])) {
    const Layout &left = call.inputs[0], &right = call.inputs[1], &out = call.outputs[0];
    gemm_.m = product_.rows;
    gemm_.n = product_.columns;
    gemm_.k = product_.interior;
    gemm_.alpha = product_.alpha;
    gemm_.beta = product_.beta;
    gemm_.allows_reduced = k.options == KernelOptions::allow_reduced_precision;
    gemm_.a.matrix = {nullptr, left.dtype, left.row_bytes(), k.transpose_left};
    gemm_.b = {nullptr, right.dtype, right.row_bytes(), k.transpose_right};
    gemm_.c = {nullptr, out.dtype, out.row_bytes()};
    begin_ = {begin(left, k.left_matrix_origin), begin(right, k.right_matrix_origin), begin(out, k.result_matrix_origin)};
    steps_ = {left.matrix_bytes(), right.matrix_bytes(), out.matrix_bytes()};
  }

  void run(std::span<const View> views) const override {
    Gemm g = gemm_;
    g.a.matrix.data = views[0].data + begin_[0];
    g.b.data = views[1].data + begin_[1];
    g.c.data = views[2].data + begin_[2];
    gemm_batch(g, product_.count, steps_);
  }

 private:
  std::int64_t begin(const Layout& m, const Origin& origin) const {
    return product_.first * m.matrix_bytes() + origin.x * m.row_bytes() + origin.y * m.element_bytes();
  }

  linalg::MatrixMultiplication::Product product_;
  Gemm gemm_;
  std::array<std::int64_t, 3> begin_;
  GemmSteps steps_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixMultiplication, MatrixMultiplicationPlan)
