#pragma once
#include "cpu/cnn/soft_max.inl"
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class K, bool is_log>
class SoftMaxGradientPlan final : public CpuPlan {
 public:
  SoftMaxGradientPlan(const K& k, const Call& call)
      : window_(k.window(call.inputs, &call.outputs[0])),
        gradient_(call.inputs[0], k.primary_source_matrix_origin, window_.matrices),
        forward_(call.inputs[1], k.secondary_source_matrix_origin, window_.matrices),
        result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    const std::int64_t n = window_.columns;
    const DType t = v[0].layout.dtype;
    each_row(window_, [&](std::int64_t matrix, std::int64_t row) {
      const Scratch scratch(static_cast<std::size_t>(2 * n) * sizeof(float));
      float *g = scratch.as<float>(), *y = g + n;
      to_float(t, gradient_.row(v[0], matrix, row), n, g);
      to_float(t, forward_.row(v[1], matrix, row), n, y);
      const Floats total = all(static_cast<float>(sum(g, y, n)));
      std::int64_t i = 0;
      const auto result = [&](Floats dy, Floats f) { return is_log ? dy - exp(f) * total : f * (dy - total); };
      for (; i + lanes<float> <= n; i += lanes<float>) store(g + i, result(load<Floats>(g + i), load<Floats>(y + i)));
      if (i < n) store_pixels(g + i, result(load_pixels(g + i, n - i), load_pixels(y + i, n - i)), n - i);
      from_float(g, t, result_.row(v[2], matrix, row), n);
    });
  }

 private:
  // Of the gradient, or of its products with what the layer returned; in blocks, so that it stays as exact with many columns as with few.
  static double sum(const float* g, const float* y, std::int64_t n) {
    constexpr std::int64_t block = 1024;
    double total = 0;
    for (std::int64_t begin = 0; begin < n; begin += block) {
      const std::int64_t end = std::min(n, begin + block);
      Floats sums{};
      std::int64_t i = begin;
      for (; i + lanes<float> <= end; i += lanes<float>) sums += is_log ? load<Floats>(g + i) : load<Floats>(g + i) * load<Floats>(y + i);
      float rest = 0;
      for (; i < end; ++i) rest += is_log ? g[i] : g[i] * y[i];
      total += double{soft_max::sum_of(sums)} + double{rest};
    }
    return total;
  }

  linalg::Window window_;
  WindowPlace gradient_, forward_, result_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
