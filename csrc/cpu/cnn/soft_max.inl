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
// The row behind the one whose exponentials are computed: it is read, or asked for, meanwhile, since memory would be idle otherwise, and arithmetic when
// the row begins.
struct Following {
  const float* values = nullptr;
  const float* later = nullptr;  // the row behind it, and where its result will be: asked for where not null
  const float* result = nullptr;
  float most = 0;  // found
};
// A row of n that lacks its last step, (v - first) * scale - second, which goes past the caches. It is taken while the next row's exponentials
// are computed.
struct Waiting {
  const float* values = nullptr;
  float* dst = nullptr;
  float first = 0, scale = 1, second = 0;
};
// Rows of a large matrix wait. With AVX-512 arithmetic leaves enough time to read what is overwritten, and stores past the caches would stop it: 4096 x 1000
// takes 1.2 ms, and 1.6 with them (Sapphire Rapids, 1 thread).
inline constexpr bool rows_wait = MPSKIT_VECTOR_BYTES < 64;
// e[i] = exp(x[i] - most); their sum, in blocks, so that it stays as exact with many elements as with few. A row that waits is written. Null e: the sum alone.
double exponentials(const float* x, std::int64_t n, float most, float* e, Following* following = nullptr, const Waiting& waiting = {});
void write(const Waiting& waiting, std::int64_t n);  // when no row follows

// body(x, its largest, where its result goes, following) for rows [first, last) of n floats; row(r) and result(r) say where they are.
template <class Row, class Result, class Body>
void each_row_ahead(std::int64_t first, std::int64_t last, std::int64_t n, bool is_large, Row&& row, Result&& result, Body&& body) {
  const float* x[3];
  float* y[3];
  auto find = [&](std::int64_t r, int i) {
    x[i] = r < last ? row(r) : nullptr;
    y[i] = r < last ? result(r) : nullptr;
  };
  for (int i = 0; i < 2; ++i) find(first + i, i);
  Following following{.most = largest(x[0], n)};
  for (std::int64_t r = first; r < last; ++r) {
    find(r + 2, 2);
    following = {.values = x[1], .later = is_large ? x[2] : nullptr, .result = rows_wait ? nullptr : y[2], .most = following.most};
    body(x[0], following.most, y[0], following);
    for (int i = 0; i < 2; ++i) x[i] = x[i + 1], y[i] = y[i + 1];
  }
}

// `scratch` holds 2 * n floats; null source: zeros.
void one_row(DType from, const std::byte* s, std::int64_t n, DType to, std::byte* d, float* scratch);
// A lane a row, `s_step` and `d_step` bytes apart: few elements would leave registers empty. `scratch` holds step * n floats.
void several_rows(DType from, const std::byte* s, std::int64_t s_step, std::int64_t n, DType to, std::byte* d, std::int64_t d_step, float* scratch);

}  // namespace mpskit::cpu::MPSKIT_ISA::soft_max
