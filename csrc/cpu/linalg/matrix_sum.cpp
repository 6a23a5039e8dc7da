#include "cpu/linalg/layer.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixSumPlan final : public CpuPlan {
 public:
  MatrixSumPlan(const linalg::MatrixSum& k, const Call& call)
      : neuron_(k.neuron.resolved()), window_(k.window(call.inputs, &call.outputs[0])), start_(k.start_index), scale_(k.scale_index()), bias_(k.bias_index()),
        is_transposed_(k.transpose), result_(call.outputs[0], k.result_matrix_origin, window_.matrices) {
    for (std::int64_t i = 0; i < k.count; ++i) sources_.emplace_back(call.inputs[static_cast<std::size_t>(i)], k.offset_of(i), window_.matrices);
  }

  void run(std::span<const View> v) const override {
    if (window_.rows == 0 || window_.columns == 0) return;
    visit_floats(v[0].layout.dtype, [&](auto element) { run<decltype(element)>(v); });
  }

 private:
  static constexpr std::int64_t block = 16;  // rows that are turned at once: a cache line of float32

  template <class T>
  void run(std::span<const View> v) const {
    const std::size_t inputs = v.size() - 1;
    const View& result = v.back();
    const float* scale = scale_ < inputs && v[scale_].data ? v[scale_].template vector<float>(0) + start_ : nullptr;
    const std::int64_t n = window_.columns, height = is_transposed_ ? block : 1, blocks = (window_.rows + height - 1) / height;
    parallel_for(window_.matrices.count * blocks, rows_a_task(n * height * static_cast<std::int64_t>(sources_.size())), [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(n * height) * sizeof(float));
      for (std::int64_t b = first; b < last; ++b) {
        const std::int64_t matrix = b / blocks, row = b % blocks * height, rows = std::min(height, window_.rows - row);
        float* sums = scratch.as<float>();
        if constexpr (std::is_same_v<T, float>)
          if (!is_transposed_) sums = result_.row<float>(result, matrix, row);
        for (std::int64_t r = 0; r < rows; ++r) add_up<T>(v, matrix, row + r, scale, sums + r * n);
        if (!is_transposed_) {
          const ColumnNumbers bias(bias_ < inputs ? v[bias_] : View{}, matrix, n);
          scale_and_add(sums, n, 1, bias.get());
        }
        apply_neuron(neuron_, sums, rows * n, 0);
        if (is_transposed_) turn<T>(sums, rows, result, matrix, row);
        else if constexpr (!std::is_same_v<T, float>) from_float(sums, std::span(result_.row<T>(result, matrix, row), static_cast<std::size_t>(n)));
      }
    });
  }

  template <class T>
  void add_up(std::span<const View> v, std::int64_t matrix, std::int64_t row, const float* scale, float* sums) const {
    const std::int64_t n = window_.columns;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      const T* x = sources_[s].row<const T>(v[s], matrix, row);
      const Floats factor = all(scale ? scale[s] : 1.0f);
      const auto add = [&](Floats value, Floats sum) { return s == 0 ? factor * value : multiply_add(factor, value, sum); };
      std::int64_t i = 0;
      for (; i + lanes<float> <= n; i += lanes<float>) store(sums + i, add(load_pixels(x + i), s == 0 ? Floats{} : load<Floats>(sums + i)));
      if (i < n) store_pixels(sums + i, add(load_pixels(x + i, n - i), s == 0 ? Floats{} : load_pixels(sums + i, n - i)), n - i);
    }
  }
  template <class T>
  void turn(const float* sums, std::int64_t rows, const View& result, std::int64_t matrix, std::int64_t row) const {
    const std::int64_t n = window_.columns;
    for (std::int64_t c = 0; c < n; ++c) {
      float column[block];
      for (std::int64_t r = 0; r < rows; ++r) column[r] = sums[r * n + c];
      from_float(column, std::span(result_.row<T>(result, matrix, c) + row, static_cast<std::size_t>(rows)));
    }
  }

  cnn::Neuron neuron_;
  linalg::Window window_;
  std::int64_t start_;
  std::size_t scale_, bias_;
  bool is_transposed_;
  WindowPlace result_;
  std::vector<WindowPlace> sources_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSum, MatrixSumPlan)
