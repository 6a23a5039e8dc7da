#include "cpu/cnn/soft_max.inl"
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/streams.inl"

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
    const DType from = v[0].layout.dtype, to = v[1].layout.dtype;
    const std::int64_t rows = window_.matrices.count * window_.rows;
    if (rows == 0 || n == 0) return;
    const bool is_plain = from == DType::f32 && to == DType::f32;  // read, and written, where it lies
    const bool is_large = is_streamed(2 * rows * n * static_cast<std::int64_t>(sizeof(float))), waits = is_large && soft_max::rows_wait;
    // A task's first row is read before there is arithmetic for it.
    parallel_for(rows, rows_a_task(n, is_large ? 65536 : 16384), [&](std::int64_t begin, std::int64_t end) {
      const auto row = [&](std::int64_t r) { return source_.row<const std::byte>(v[0], r / window_.rows, r % window_.rows); };
      const auto result = [&](std::int64_t r) { return result_.row(v[1], r / window_.rows, r % window_.rows); };
      const auto subtract = [n](const float* x, float most, float rest, float* y) {
        std::int64_t i = 0;
        for (; i + soft_max::step <= n; i += soft_max::step) store(y + i, load<Floats>(x + i) - most - rest);
        for (; i < n; ++i) y[i] = x[i] - most - rest;
      };
      if (is_plain) {
        soft_max::Waiting waiting;
        soft_max::each_row_ahead(
            begin, end, n, is_large, [&](std::int64_t r) { return reinterpret_cast<const float*>(row(r)); },
            [&](std::int64_t r) { return reinterpret_cast<float*>(result(r)); },
            [&](const float* x, float most, float* y, soft_max::Following& following) {
              const auto rest = static_cast<float>(std::log(soft_max::exponentials(x, n, most, nullptr, &following, waiting)));
              if (waits) waiting = {.values = x, .dst = y, .first = most, .second = rest};
              else subtract(x, most, rest, y);
            });
        soft_max::write(waiting, n);
        if (waits) end_stream();
        return;
      }
      const Scratch scratch(static_cast<std::size_t>(n) * sizeof(float));
      for (std::int64_t r = begin; r < end; ++r) {
        const float* x = scratch.as<float>();
        if (from == DType::f32) x = reinterpret_cast<const float*>(row(r));
        else to_float(from, row(r), n, scratch.as<float>());
        const float most = soft_max::largest(x, n);
        float* y = to == DType::f32 ? reinterpret_cast<float*>(result(r)) : scratch.as<float>();
        subtract(x, most, static_cast<float>(std::log(soft_max::exponentials(x, n, most, nullptr))), y);
        if (to != DType::f32) from_float(y, to, result(r), n);
      }
    });
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixLogSoftMax, MatrixLogSoftMaxPlan)
