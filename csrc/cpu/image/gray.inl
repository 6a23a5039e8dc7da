#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// gray[p] = the gray of pixel p. Alpha, and whatever comes behind the third channel, is no colour; a missing third one is 0. Compilers make
// better shuffles of the loops than load_columns has: Sobel of RGB takes four fifths of the time (Sapphire Rapids).
inline void make_gray(const float* colour, std::int64_t channels, std::int64_t pixels, const std::array<float, 3>& weights, float* gray) {
  const float r = weights[0], g = weights[1], b = weights[2];
  const auto each = [=](std::int64_t apart) __attribute__((always_inline)) {
    for (std::int64_t p = 0; p < pixels; ++p) gray[p] = r * colour[p * apart] + g * colour[p * apart + 1] + b * colour[p * apart + 2];
  };
  if (channels == 4) return each(4);
  if (channels == 3) return each(3);
  if (channels > 4) return each(channels);
  for (std::int64_t p = 0; p < pixels; ++p) gray[p] = r * colour[p * 2] + g * colour[p * 2 + 1];
}

}  // namespace mpskit::cpu::MPSKIT_ISA
