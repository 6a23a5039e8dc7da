#pragma once
#include "kernels/common/threshold_kernel.hpp"

namespace mpskit::image {

struct ThresholdToZero : ThresholdKernel {
  bool operator==(const ThresholdToZero&) const = default;

  static constexpr KernelInfo info{
      "ThresholdToZero", "Gray where it is above a threshold, 0 elsewhere.", "MPSImageThresholdToZero, in MPSImageThreshold.h",
      "gray > threshold_value ? gray : 0, for each pixel; what equals the threshold is not above it. A picture with colour becomes gray first, by transform; alpha is left "
      "out. The result has one channel: Apple does not say what others would get. A code of uint8 or uint16 is compared as the exact fraction that it "
      "means; a GPU divides, and may differ where a gray value lies within a rounding of the threshold. NaN is not above."};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_threshold(info.name, *this, in[0], out[0]); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, ThresholdToZero)
