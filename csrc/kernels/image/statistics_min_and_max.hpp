#pragma once
#include "kernels/common/region_kernel.hpp"

namespace mpskit::image {

struct StatisticsMinAndMax : RegionKernel {
  bool operator==(const StatisticsMinAndMax&) const = default;

  static constexpr KernelInfo info{
      "StatisticsMinAndMax", "Smallest and largest value of every channel.", "MPSImageStatisticsMinAndMax, in MPSImageStatistics.h",
      "The output has two pixels: the smallest value and, to its right, the largest. Nothing is computed: where image and out have one format the result is "
      "exact. Of a channel with NaN in it any element may come out."};
  static constexpr auto tolerances = tolerances_of_elements;

  Extent extent(const Layout&) const { return {2, 1}; }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    check_source(info.name, in[0], clip_rect_source);
    return {elements_result(in[0], hints, extent(in[0]))};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_region(info.name, *this, in[0], out[0], extent(in[0])); }
  bool reads_outputs(std::span<const Layout> out) const { return out[0].width() > 2 || out[0].height() > 1; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, StatisticsMinAndMax)
