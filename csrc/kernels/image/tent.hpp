#pragma once
#include "kernels/common/window_kernel.hpp"

namespace mpskit::image {

struct Tent : WindowKernel<255> {
  bool operator==(const Tent&) const = default;

  static constexpr KernelInfo info{
      "Tent", "Mean of a window around each pixel, weights falling linearly from the centre.", "MPSImageTent, in MPSImageConvolution.h",
      "The weights are (1 2 1) for a side of 3, (1 2 3 2 1) for 5 and so on along each axis, their products divided by their sum. Pixels beyond the "
      "border count, as zeros or as the nearest edge pixel. Apple does not say whether its own kernel is one tent or two boxes at the border; "
      "this is one tent. Sums of uint8 and uint16 are exact while they fit into 31 bits, as they do up to 105 px a side for uint8 and 25 px for uint16. "
      "Float sums are made anew for each pixel, in a tree. NaN and infinity spread as far as the window."};
  static constexpr auto fields = std::tuple_cat(window_fields, unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 1e-6, 4e-6, "at most 80 float32 additions on the way of a pixel; absolute for inputs within [-1, 1]"}};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Tent)
