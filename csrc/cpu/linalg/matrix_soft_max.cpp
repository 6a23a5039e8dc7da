#include "cpu/cnn/soft_max.inl"
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/streams.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using namespace soft_max;

class MatrixSoftMaxPlan final : public CpuPlan {
 public:
  MatrixSoftMaxPlan(const linalg::MatrixSoftMax& k, const Call& call)
      : window_(k.window(call.inputs[0], &call.outputs[0])),
        source_(call.inputs[0], k.source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    const View &src = v[0], &dst = v[1];
    const std::int64_t n = window_.columns, rows = window_.rows;
    if (n == 0 || rows == 0) return;
    const DType t = src.layout.dtype;
    const bool is_narrow = n < 2 * step;
    const bool streams = !is_narrow && t == DType::f32 && is_streamed(2 * window_.matrices.count * rows * n * static_cast<std::int64_t>(sizeof(float)));
    parallel_for(window_.matrices.count * rows, rows_a_task(n, 16384), [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(n * (is_narrow ? step : 2)) * sizeof(float));
      Waiting waiting;
      for (std::int64_t r = first; r < last;) {
        const std::byte* s = source_.row(src, r / rows, r % rows);
        std::byte* d = result_.row(dst, r / rows, r % rows);
        if (is_narrow && step <= std::min(last - r, rows - r % rows)) {
          several_rows(t, s, source_.row_bytes(), n, t, d, result_.row_bytes(), scratch.as<float>());
          r += step;
        } else if (streams) {
          const auto* x = reinterpret_cast<const float*>(s);
          const auto* next = r + 1 < last ? source_.row<const float>(src, (r + 1) / rows, (r + 1) % rows) : nullptr;
          float* e = scratch.as<float>() + r % 2 * n;
          const auto scale = static_cast<float>(1 / exponentials(x, n, largest(x, n), e, next, waiting));
          waiting = {.values = e, .dst = reinterpret_cast<float*>(d), .scale = scale};
          ++r;
        } else {
          one_row(t, s, n, t, d, scratch.as<float>());
          ++r;
        }
      }
      write(waiting, n);
      if (streams) end_stream();
    });
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSoftMax, MatrixSoftMaxPlan)
