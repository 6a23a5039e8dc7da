#pragma once
#include <array>

#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct Sobel : UnaryKernel {
  std::array<float, 3> color_transform{0.299f, 0.587f, 0.114f};  // BT.601
  bool operator==(const Sobel&) const = default;

  static constexpr KernelInfo info{
      "Sobel", "Magnitude of the gradient.", "MPSImageSobel, in MPSImageConvolution.h",
      "sqrt(gx*gx + gy*gy) with the 3x3 operators (-1 0 1, -2 0 2, -1 0 1) and (1 2 1, 0 0 0, -1 -2 -1), not divided by "
      "anything: pictures in [0, 1] reach 4.47, so uint8 and uint16 outputs saturate at strong edges; ask for dtype float16 or "
      "float32 to keep them. Channels are filtered each for itself, alpha too, of which Apple does not speak; a one-channel output (channels=1) of a colour "
      "picture is the gradient of its gray. edge_mode 'zero' draws a bright frame. NaN and infinity reach the eight pixels around "
      "them, as NaN where infinities meet."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"color_transform", &Sobel::color_transform, Range{}, "",
                       "Weights of red, green and blue in gray, used when the output has one channel and the source has more."}},
      unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 4e-6, 1e-6, "float32 differences of sums of eight values; absolute for inputs within [-1, 1]"}};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channels_or_gray(info.name, *this, in[0], out[0], "the gradient"); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Sobel)
