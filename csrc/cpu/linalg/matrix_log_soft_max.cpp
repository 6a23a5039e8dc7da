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
    const bool streams = is_plain && is_streamed(2 * rows * n * static_cast<std::int64_t>(sizeof(float)));
    parallel_for(rows, rows_a_task(n, 16384), [&](std::int64_t begin, std::int64_t end) {
      const Scratch scratch(static_cast<std::size_t>(is_plain ? 0 : n) * sizeof(float));
      const auto row = [&](std::int64_t r) { return source_.row<const std::byte>(v[0], r / window_.rows, r % window_.rows); };
      soft_max::Waiting waiting;
      for (std::int64_t r = begin; r < end; ++r) {
        std::byte* result = result_.row(v[1], r / window_.rows, r % window_.rows);
        const float* x = scratch.as<float>();
        if (from == DType::f32) x = reinterpret_cast<const float*>(row(r));
        else to_float(from, row(r), n, scratch.as<float>());
        const auto* next = streams && r + 1 < end ? reinterpret_cast<const float*>(row(r + 1)) : nullptr;
        const float most = soft_max::largest(x, n);
        const auto rest = static_cast<float>(std::log(soft_max::exponentials(x, n, most, nullptr, next, waiting)));
        if (streams) {
          waiting = {.values = x, .dst = reinterpret_cast<float*>(result), .first = most, .second = rest};
          continue;
        }
        float* y = to == DType::f32 ? reinterpret_cast<float*>(result) : scratch.as<float>();
        std::int64_t i = 0;
        for (; i + soft_max::step <= n; i += soft_max::step) store(y + i, load<Floats>(x + i) - most - rest);
        for (; i < n; ++i) y[i] = x[i] - most - rest;
        if (to != DType::f32) from_float(y, to, result, n);
      }
      soft_max::write(waiting, n);
      if (streams) end_stream();
    });
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixLogSoftMax, MatrixLogSoftMaxPlan)
