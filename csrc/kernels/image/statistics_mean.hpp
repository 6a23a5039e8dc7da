#pragma once
#include "kernels/common/region_kernel.hpp"

namespace mpskit::image {

struct StatisticsMean : RegionKernel {
  bool operator==(const StatisticsMean&) const = default;

  static constexpr KernelInfo info{
      "StatisticsMean", "Mean of every channel.", "MPSImageStatisticsMean, in MPSImageStatistics.h",
      "The output has one pixel, float32 unless dtype or out asks for another. uint8 and uint16 count as value / 255 and value / 65535. On the CPU sums of "
      "integers are exact and those of floats are double precision, and the result does not depend on the number of threads. NaN and infinity of a channel "
      "make its mean NaN or infinite."};
  static constexpr auto tolerances = tolerances_of_sums;

  Extent extent(const Layout&) const { return {1, 1}; }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    check_source(info.name, in[0], clip_rect_source);
    return {sums_result(info.name, in[0], hints, extent(in[0]))};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_region(info.name, *this, in[0], out[0], extent(in[0])); }
  bool reads_outputs(std::span<const Layout> out) const { return out[0].width() > 1 || out[0].height() > 1; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, StatisticsMean)
