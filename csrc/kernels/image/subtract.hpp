#pragma once
#include "kernels/common/arithmetic_kernel.hpp"

namespace mpskit::image {

struct Subtract : ArithmeticKernel {
  bool operator==(const Subtract&) const = default;

  static constexpr KernelInfo info{
      "Subtract", "Difference of two pictures, scaled.", "MPSImageSubtract, in MPSImageMath.h",
      "primary_scale * primary - secondary_scale * secondary + bias, then held within minimum_value and maximum_value, for each pixel and channel, alpha too. Values are those that "
      "the formats mean, white is 1; uint8 and uint16 results clamp at 0 and 1. "
      "The result has the dtype of primary unless dtype or out asks for another, and the size of what is not repeated; with out given its size decides, and beyond a border "
      "lies what the edge mode says. NaN passes the limits, of which Apple's header does not speak."};

  void validate() const { check_arithmetic(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const { return {arithmetic_result(info.name, *this, in, hints)}; }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_arithmetic(info.name, *this, in, out[0]); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Subtract)
