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
    const bool is_narrow = n < 2 * step, is_plain = !is_narrow && t == DType::f32;
    const std::int64_t all_rows = window_.matrices.count * rows;
    const bool is_large = is_streamed(2 * all_rows * n * static_cast<std::int64_t>(sizeof(float))), waits = is_large && rows_wait;
    // A task's first row is read before there is arithmetic for it.
    parallel_for(all_rows, rows_a_task(n, is_large ? 65536 : 16384), [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(n * (is_narrow ? step : 2)) * sizeof(float));
      if (is_plain) {
        Waiting waiting;
        each_row_ahead(
            first, last, n, is_large, [&](std::int64_t r) { return source_.row<const float>(src, r / rows, r % rows); },
            [&](std::int64_t r) { return result_.row<float>(dst, r / rows, r % rows); },
            [&](const float* x, float most, float* y, Following& following) {
              float* e = !waits ? y : scratch.as<float>() + (waiting.values == scratch.as<float>() ? n : 0);
              const auto scale = static_cast<float>(1 / exponentials(x, n, most, e, &following, waiting));
              if (waits) waiting = {.values = e, .dst = y, .scale = scale};
              else transform(y, n, [=](Floats v) { return v * scale; });
            });
        write(waiting, n);
        if (waits) end_stream();
        return;
      }
      for (std::int64_t r = first; r < last;) {
        const std::byte* s = source_.row(src, r / rows, r % rows);
        std::byte* d = result_.row(dst, r / rows, r % rows);
        if (is_narrow && step <= std::min(last - r, rows - r % rows)) {
          several_rows(t, s, source_.row_bytes(), n, t, d, result_.row_bytes(), scratch.as<float>());
          r += step;
        } else {
          one_row(t, s, n, t, d, scratch.as<float>());
          ++r;
        }
      }
    });
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSoftMax, MatrixSoftMaxPlan)
