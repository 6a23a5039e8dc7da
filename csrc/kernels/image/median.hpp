#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct Median : UnaryKernel {
  std::int64_t kernel_diameter = 3;
  bool operator==(const Median&) const = default;

  static constexpr KernelInfo info{
      "Median", "Median of a square window around each pixel.", "MPSImageMedian, in MPSImageMedian.h",
      "The middle one of the kernel_diameter * kernel_diameter values, channels each for itself: always one of them, so where image and out have one "
      "format the result is exact. Of four channels the last is alpha and passes unfiltered, as Apple's class was seen to do. Apple takes 8 bits a "
      "channel only, and up to four channels: on a metal device image and out are uint8, the CPU engine takes every format. edge_mode 'zero' pulls "
      "corners to 0. Do not pass NaN: which value is the middle one is then undefined."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"kernel_diameter", &Median::kernel_diameter, Range{.min = 3, .max = 127, .odd = true}, "px", "Side of the window."}}, unary_fields);
  static constexpr auto tolerances = tolerances_of_elements;

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Median)
