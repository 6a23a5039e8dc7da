#include "cpu/gemm/gemm.hpp"
#include "cpu/linalg/columns.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixFullyConnectedGradientPlan final : public CpuPlan {
 public:
  MatrixFullyConnectedGradientPlan(const linalg::MatrixFullyConnectedGradient& k, const Call& call)
      : product_(k.product(call.inputs, call.outputs)),
        gradient_(call.inputs[0], k.primary_source_matrix_origin, product_.matrices),
        other_(call.inputs[1], k.secondary_source_matrix_origin, product_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, product_.matrices) {
    const DType t = call.inputs[0].dtype;
    const GemmMatrix gradient{nullptr, t, gradient_.row_bytes(), false}, other{nullptr, t, other_.row_bytes(), true};
    gemm_.m = product_.result().rows;
    gemm_.n = product_.result().columns;
    gemm_.k = product_.is_for_data ? product_.outputs : product_.rows;
    gemm_.alpha = product_.alpha;
    gemm_.a.matrix = product_.is_for_data ? gradient : other;
    gemm_.b = product_.is_for_data ? other : gradient;
    gemm_.c = {nullptr, t, result_.row_bytes()};
  }

  void run(std::span<const View> v) const override {
    for (std::int64_t i = 0; i < product_.matrices.count; ++i) {
      Gemm g = gemm_;
      const std::byte *gradient = gradient_.row(v[0], i, 0), *other = other_.row(v[1], i, 0);
      g.a.matrix.data = product_.is_for_data ? gradient : other;
      g.b.data = product_.is_for_data ? other : gradient;
      g.c.data = result_.row(v[2], i, 0);
      gemm(g);
    }
    if (product_.is_for_data) return;
    const DType t = v[0].layout.dtype;
    each_column_block({product_.rows, product_.outputs, product_.matrices}, [&](std::int64_t matrix, std::int64_t first, std::int64_t n) {
      ColumnSums sums;
      for (std::int64_t row = 0; row < product_.rows; ++row) {
        float g[column_block];
        load_part(t, gradient_.row(v[0], matrix, row), first, n, g);
        sums.add(n, [&](std::int64_t i) { return g[i]; });
      }
      store_totals(sums.totals(), v[3], product_.matrices.first + matrix, first, n);
    });
  }

 private:
  linalg::MatrixFullyConnectedGradient::Product product_;
  WindowPlace gradient_, other_, result_;
  Gemm gemm_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixFullyConnectedGradient, MatrixFullyConnectedGradientPlan)
