#include "cpu/cnn/soft_max.inl"
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixLogSoftMaxPlan final : public CpuPlan {
 public:
  MatrixLogSoftMaxPlan(const linalg::MatrixLogSoftMax& k, const Call& call)
      : window_(k.window(call.inputs[0], &call.outputs[0])),
        source_(call.inputs[0], k.source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    const std::int64_t n = window_.columns;
    each_row(window_, [&](std::int64_t matrix, std::int64_t row) {
      const Scratch scratch(static_cast<std::size_t>(2 * n) * sizeof(float));
      float *x = scratch.as<float>(), *e = x + n;
      to_float(v[0].layout.dtype, source_.row(v[0], matrix, row), n, x);
      const float most = soft_max::largest(x, n);
      const double total = std::log(soft_max::exponentials(x, n, most, e));
      const Floats high = all(most), low = all(static_cast<float>(total));
      transform(x, n, [=](Floats value) { return value - high - low; });
      from_float(x, v[1].layout.dtype, result_.row(v[1], matrix, row), n);
    }, 16384);
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixLogSoftMax, MatrixLogSoftMaxPlan)
