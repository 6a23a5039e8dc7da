#pragma once
#include "kernels/common/morphology.hpp"

namespace mpskit::image {

struct Dilate : ProbeKernel {
  bool operator==(const Dilate&) const = default;

  static constexpr KernelInfo info{
      "Dilate", "Largest value in a window, less the probe's.", "MPSImageDilate, in MPSImageMorphology.h",
      "out[y, x] = the largest image[y + j - kernel_height // 2, x + i - kernel_width // 2] - values[j, i]; the probe is not turned around. Its centre must be 0: Apple assumes so and does not say what happens "
      "otherwise. A value of 0 takes part as it is, 1 or more leaves a place of a picture in [0, 1] out; all zeros is AreaMax. Channels each for "
      "itself, alpha too. Beyond the border lies the nearest edge pixel, and 'zero' is refused. Outputs of uint8 and uint16 clamp. "
      "Do not pass NaN: of its windows any "
      "element may come out."};

  WindowValues window() const { return probe_of(info.name, *this); }
  void validate() const {
    check_clamped(info.name, edge_mode);
    window();
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Dilate)
