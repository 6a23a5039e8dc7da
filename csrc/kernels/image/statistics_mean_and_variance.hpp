#pragma once
#include "kernels/common/region_kernel.hpp"

namespace mpskit::image {

struct StatisticsMeanAndVariance : RegionKernel {
  bool operator==(const StatisticsMeanAndVariance&) const = default;

  static constexpr KernelInfo info{
      "StatisticsMeanAndVariance", "Mean and variance of every channel.",
      "MPSImageStatisticsMeanAndVariance, in MPSImageStatistics.h",
      "The output has two pixels: the mean and, to its right, the population variance (divided by the number of pixels; Apple "
      "does not say which it takes). uint8 and uint16 count as value / 255 and value / 65535. On the CPU sums of integers are "
      "exact and those of floats are double precision around a pixel's value, so nothing cancels, and the result does not depend "
      "on the number of threads. NaN and infinity of a channel make its results NaN or infinite."};
  static constexpr std::array operands{
      source_image,
      OperandSpec{"out", Role::output, Kind::image, image_dtypes,
                  "Where the two pixels go; made when omitted, shape (1, 2), (1, 2, channels) or (images, 1, 2, channels), float32."}};
  static constexpr auto tolerances = tolerances_of_sums;

  Extent extent(const Layout&) const { return {2, 1}; }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const { return {sums_result(info.name, in[0], hints, extent(in[0]))}; }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_region(info.name, *this, in[0], out[0], extent(in[0])); }
  bool reads_outputs(std::span<const Layout> out) const { return out[0].width() > 2 || out[0].height() > 1; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, StatisticsMeanAndVariance)
