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
    const bool streams = from == DType::f32 && to == DType::f32 && is_streamed(2 * window_.matrices.count * window_.rows * n * static_cast<std::int64_t>(sizeof(float)));
    each_row(window_, [&](std::int64_t matrix, std::int64_t row) {
      const std::byte* source = source_.row(v[0], matrix, row);
      std::byte* result = result_.row(v[1], matrix, row);
      // float32 is read, and written, where it lies.
      const Scratch scratch(static_cast<std::size_t>(from == DType::f32 && to == DType::f32 ? 0 : n) * sizeof(float));
      const float* x = scratch.as<float>();
      if (from == DType::f32) x = reinterpret_cast<const float*>(source);
      else to_float(from, source, n, scratch.as<float>());
      const float most = soft_max::largest(x, n);
      const auto* next = streams && row + 1 < window_.rows ? source_.row<const float>(v[0], matrix, row + 1) : nullptr;
      const Floats high = all(most), low = all(static_cast<float>(std::log(soft_max::sum_of_exponentials(x, n, most, next))));
      if (streams) {
        stream_values(x, n, reinterpret_cast<float*>(result), [=](Floats value) { return value - high - low; });
        return end_stream();
      }
      float* y = to == DType::f32 ? reinterpret_cast<float*>(result) : scratch.as<float>();
      std::int64_t i = 0;
      for (; i + soft_max::step <= n; i += soft_max::step) store(y + i, load<Floats>(x + i) - high - low);
      for (; i < n; ++i) y[i] = x[i] - most - low[0];
      if (to != DType::f32) from_float(y, to, result, n);
    }, 16384);
  }

 private:
  linalg::Window window_;
  WindowPlace source_, result_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixLogSoftMax, MatrixLogSoftMaxPlan)
