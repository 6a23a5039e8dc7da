#pragma once
// Triangular systems and what factorizations have in common with them, on the matrix core. The code is in triangular.cpp, once
// per ISA. Everything works in halves until a leaf is left: products do most of the arithmetic, at the speed of gemm. Sizes alone
// decide how, so results do not depend on the number of threads.
#include "cpu/gemm/gemm.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Rows and columns of a leaf of a factorization: with a panel of right-hand sides (4 KiB with AVX2) it lies in L1.
inline constexpr std::int64_t leaf_order = 64;
// Where a matrix is cut in two: whole leaves first.
inline std::int64_t half_of(std::int64_t n) { return (n / 2 + leaf_order - 1) / leaf_order * leaf_order; }

// Whether 1 / pivot loses nothing.
inline bool has_inverse(float pivot) { return std::fabs(pivot) > 0x1p-100f && std::fabs(pivot) < 0x1p100f; }

// A triangular factor, as it is used: element (i, k) at data[i * row + k * column], where one of the steps is 1. Elements on the
// other side, and the diagonal of a unit triangle, are not read.
struct Triangle {
  const float* data;
  std::ptrdiff_t row, column;
  bool is_lower, is_unit = false;
  Triangle transposed() const { return {data, column, row, !is_lower, is_unit}; }
  Triangle from(std::int64_t i) const { return {at(i, i), row, column, is_lower, is_unit}; }
  const float* at(std::int64_t i, std::int64_t k) const { return data + i * row + k * column; }
  GemmMatrix block(std::int64_t i, std::int64_t k) const {
    return {at(i, k), DType::f32, (column == 1 ? row : column) * static_cast<std::int64_t>(sizeof(float)), column != 1};
  }
};

// A window of a row-major matrix.
struct Block {
  float* data;
  std::ptrdiff_t stride;  // elements
  std::int64_t rows, columns;
  float* row(std::int64_t i) const { return data + i * stride; }
  Block part(std::int64_t i, std::int64_t j, std::int64_t m, std::int64_t n) const { return {data + i * stride + j, stride, m, n}; }
  GemmMatrix factor(bool is_transposed = false) const {
    return {data, DType::f32, stride * static_cast<std::int64_t>(sizeof(float)), is_transposed};
  }
};

// c -= a * b; c = -a * b where nothing is added
void subtract_product(const GemmMatrix& a, const GemmMatrix& b, std::int64_t k, const Block& c, bool adds = true);
// t * X = x, in place; or t * X = scale * b for a b that x does not overlap
void solve_left(const Triangle& t, const Block& x, const float* b = nullptr, std::ptrdiff_t row = 0, float scale = 1);
// the same for X * t
void solve_right(const Triangle& t, const Block& x, const float* b = nullptr, std::ptrdiff_t row = 0, float scale = 1);

// rows of src to those of dst; on all threads when they are many
void copy_block(const float* src, std::ptrdiff_t src_stride, const Block& dst);

// dst = src.T
void turn_block(const Block& src, const Block& dst);
// Row i and row pivots[i] change places, for i from `begin` to `end` or backwards.
void exchange_rows(const Block& x, const std::uint32_t* pivots, std::int64_t begin, std::int64_t end, bool backwards = false);

// body(i) for every matrix of a batch: several at once, or all threads for one after the other. `work` is multiply-adds of one.
template <class F>
void for_each_matrix(std::int64_t count, double work, F&& body) {
  if (count < num_threads() || work > 2e8) {
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  parallel_for(count, std::max<std::int64_t>(1, static_cast<std::int64_t>(5e5 / (work + 1))), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
