#pragma once
// The softmax of a run of elements, and of several runs with a lane each. In common/soft_max.cpp.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA::soft_max {

inline constexpr std::int64_t step = lanes<float>;

inline float sum_of(Vec<float> v) {
  float lane[step];
  store(lane, v);
  for (int width = step / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

float largest(const float* x, std::int64_t n);
// e[i] = exp(x[i] - most); their sum, in blocks, so that it stays as exact with many elements as with few. The n elements at `next` are
// prefetched.
double exponentials(const float* x, std::int64_t n, float most, float* e, const float* next = nullptr);
double sum_of_exponentials(const float* x, std::int64_t n, float most, const float* next = nullptr);  // the same without them

// `scratch` holds 2 * n floats; null source: zeros.
void one_row(DType from, const std::byte* s, std::int64_t n, DType to, std::byte* d, float* scratch);
// A lane a row, `s_step` and `d_step` bytes apart: few elements would leave registers empty. `scratch` holds step * n floats.
void several_rows(DType from, const std::byte* s, std::int64_t s_step, std::int64_t n, DType to, std::byte* d, std::int64_t d_step, float* scratch);

}  // namespace mpskit::cpu::MPSKIT_ISA::soft_max
