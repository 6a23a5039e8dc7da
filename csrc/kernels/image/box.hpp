#pragma once
#include "kernels/common/window_kernel.hpp"

namespace mpskit::image {

struct Box : WindowKernel<255> {
  bool operator==(const Box&) const = default;

  static constexpr KernelInfo info{
      "Box", "Mean of a window around each pixel.", "MPSImageBox, in MPSImageConvolution.h",
      "The sum over the window divided by its kernel_width * kernel_height places. Pixels beyond the border count, as zeros or as the nearest "
      "edge pixel, which Apple leaves open: 'zero' darkens the rim and fades alpha there. Sums of uint8 and uint16 are exact while they fit into 31 bits, as they do up to 181 px a side for uint16. Those of floats are made anew for each pixel, "
      "in a tree where windows are large: errors do not pile up along the picture, and NaN and infinity spread as far as the window."};
  static constexpr auto fields = std::tuple_cat(window_fields, unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 1e-6, 2e-6, "at most 40 float32 additions on the way of a pixel; absolute for inputs within [-1, 1]"}};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Box)
