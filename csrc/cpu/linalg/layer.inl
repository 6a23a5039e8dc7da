#pragma once
// What layers on rows of matrices share: rows as floats, a number for each column.
#include "cpu/cnn/neuron.inl"
#include "cpu/linalg/window.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// The numbers of a vector for one matrix, as floats; null for an absent one. One vector serves all matrices, or each has its own.
class ColumnNumbers {
 public:
  ColumnNumbers(const View& v, std::int64_t matrix, std::int64_t count) : scratch_(v.data && v.layout.dtype == DType::f16 ? static_cast<std::size_t>(count) * sizeof(float) : 0) {
    if (!v.data) return;
    const std::int64_t index = v.layout.vectors() == 1 ? 0 : matrix;
    if (v.layout.dtype == DType::f32) data_ = v.vector<float>(index);
    else {
      to_float(DType::f16, v.vector<std::byte>(index), count, scratch_.as<float>());
      data_ = scratch_.as<float>();
    }
  }
  const float* get() const { return data_; }

 private:
  Scratch scratch_;
  const float* data_ = nullptr;
};

// values[i] = f(values[i], numbers[i]) for whole registers and the rest.
template <class F>
MPSKIT_INLINE void transform_with(float* values, const float* numbers, std::int64_t n, F&& f) {
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) store(values + i, f(load<Floats>(values + i), load<Floats>(numbers + i)));
  if (i < n) store_pixels(values + i, f(load_pixels(values + i, n - i), load_pixels(numbers + i, n - i)), n - i);
}

// alpha * values + bias, without bias where there is none.
inline void scale_and_add(float* values, std::int64_t n, float alpha, const float* bias) {
  const Floats a = all(alpha);
  if (bias) transform_with(values, bias, n, [=](Floats x, Floats b) { return multiply_add(a, x, b); });
  else if (alpha != 1) transform(values, n, [=](Floats x) { return a * x; });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
