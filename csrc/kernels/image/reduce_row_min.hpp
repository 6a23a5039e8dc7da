#pragma once
#include "kernels/common/region_kernel.hpp"

namespace mpskit::image {

struct ReduceRowMin : RowReduceKernel {
  bool operator==(const ReduceRowMin&) const = default;

  static constexpr KernelInfo info{
      "ReduceRowMin", "Smallest value of every row.", "MPSImageReduceRowMin, in MPSImageReduce.h",
      "The output is a picture of (height, 1), one value for each row that is read, each channel for itself: so do programs that use Apple's class, its header is silent. Nothing is computed: where "
      "image and out have one format the result is exact. Of a row with NaN in it any element may come out."};
  static constexpr auto tolerances = tolerances_of_elements;

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    check_source(info.name, in[0], clip_rect_source);
    return {elements_result(in[0], hints, extent(in[0]))};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_reduction(info.name, *this, in[0], out[0], extent(in[0])); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, ReduceRowMin)
