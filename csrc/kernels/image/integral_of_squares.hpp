#pragma once
#include "kernels/common/running_sum_kernel.hpp"

namespace mpskit::image {

struct IntegralOfSquares : RunningSumKernel {
  bool operator==(const IntegralOfSquares&) const = default;

  static constexpr KernelInfo info{
      "IntegralOfSquares", "Sum of the squares of all pixels above and to the left of each, itself included.", "MPSImageIntegralOfSquares, in MPSImageIntegral.h",
      "out[y, x] = the sum of image * image over rows up to y and columns up to x, both included: out[0, 0] is the first pixel's, the last one the total. Apple's "
      "text can be read as if row y and column x were left out; programs that use its class read it as it is here. Values are those that the format "
      "means: a white pixel of uint8 adds 1. Sums begin where offset says and run over clip_rect; beyond the border the edge mode decides. float32 is made "
      "unless dtype asks for another: uint8 and uint16 outputs clamp at 1, float16 overflows at 65520. Sums are exact or float64 on the CPU engine and "
      "rounded once. NaN and infinity reach everything below and to the right."};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, IntegralOfSquares)
