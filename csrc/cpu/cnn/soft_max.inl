#pragma once
// The softmax of a run of elements, and of several runs with a lane each. In common/soft_max.cpp.
#include "cpu/simd/fold.inl"

namespace mpskit::cpu::MPSKIT_ISA::soft_max {

inline constexpr std::int64_t step = lanes<float>;

struct Adding {
  static MPSKIT_INLINE Vec<float> of(Vec<float> a, Vec<float> b) { return a + b; }
};
MPSKIT_INLINE float sum_of(Vec<float> v) { return fold_lanes<1, Adding, float>(v)[0]; }

float largest(const float* x, std::int64_t n);
// A row of n that lacks its last step, (v - first) * scale - second, which goes past the caches. It is taken while the next row's exponentials
// are computed: memory would be idle then.
struct Waiting {
  const float* values = nullptr;
  float* dst = nullptr;
  float first = 0, scale = 1, second = 0;
};
// e[i] = exp(x[i] - most); their sum, in blocks, so that it stays as exact with many elements as with few. The n elements at `next` are
// prefetched, and a row that waits is written. Null e: the sum alone.
double exponentials(const float* x, std::int64_t n, float most, float* e, const float* next = nullptr, const Waiting& waiting = {});
void write(const Waiting& waiting, std::int64_t n);  // when no row follows

// `scratch` holds 2 * n floats; null source: zeros.
void one_row(DType from, const std::byte* s, std::int64_t n, DType to, std::byte* d, float* scratch);
// A lane a row, `s_step` and `d_step` bytes apart: few elements would leave registers empty. `scratch` holds step * n floats.
void several_rows(DType from, const std::byte* s, std::int64_t s_step, std::int64_t n, DType to, std::byte* d, std::int64_t d_step, float* scratch);

}  // namespace mpskit::cpu::MPSKIT_ISA::soft_max
