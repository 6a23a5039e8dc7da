#pragma once
#include "kernels/common/region_kernel.hpp"

namespace mpskit::image {

struct ReduceColumnSum : ColumnReduceKernel {
  bool operator==(const ReduceColumnSum&) const = default;

  static constexpr KernelInfo info{
      "ReduceColumnSum", "Sum of every column.", "MPSImageReduceColumnSum, in MPSImageReduce.h",
      "The output is a picture of (1, width), one value for each column that is read, each channel for itself: so do programs that use Apple's class, its header is silent. uint8 and uint16 count as value / 255 "
      "and value / 65535; the result is float32 unless dtype or out asks for another. An out of uint8 or uint16 clamps at 1. On the CPU sums of integers are exact and those of floats are double "
      "precision. NaN and infinity stay in their column and channel."};
  static constexpr auto tolerances = tolerances_of_sums;

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    check_source(info.name, in[0], clip_rect_source);
    return {sums_result(info.name, in[0], hints, extent(in[0]))};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_reduction(info.name, *this, in[0], out[0], extent(in[0])); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, ReduceColumnSum)
