#pragma once
#include "kernels/common/morphology.hpp"

namespace mpskit::image {

struct AreaMin : AreaKernel {
  bool operator==(const AreaMin&) const = default;

  static constexpr KernelInfo info{
      "AreaMin", "Smallest value in a window around each pixel.", "MPSImageAreaMin, in MPSImageMorphology.h",
      "Channels each for itself, alpha too. Beyond the border lies the nearest edge pixel, which never changes the result; 'zero' is refused. Nothing is computed: "
      "where image and out have one format the result is exact. Of a window with NaN in it any element may come out. On a metal device windows of more than "
      "241 px a side are several smaller ones, one after the other, which is the same."};

  void validate() const { check_clamped(info.name, edge_mode); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, AreaMin)
