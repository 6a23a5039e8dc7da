#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct Laplacian : UnaryKernel {
  float bias = 0;
  bool operator==(const Laplacian&) const = default;

  static constexpr KernelInfo info{
      "Laplacian", "Sum of the four neighbours less four times the pixel.", "MPSImageLaplacian, in MPSImageConvolution.h",
      "The operator (0 1 0, 1 -4 1, 0 1 0), not divided by anything. Results have both signs: outputs of uint8 and uint16 clamp negative "
      "ones to 0 unless bias lifts them; ask for dtype float16 or float32 to keep them. Channels each for itself; constant alpha becomes bias. "
      "NaN and infinity reach the four pixels around them; on a GPU possibly eight."};
  static constexpr auto fields = std::tuple_cat(std::tuple{Field{"bias", &Laplacian::bias, Range{}, "", "Added to every result."}}, unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 2e-6, 1e-6, "float32 sums of five values; absolute for inputs within [-1, 1]"}};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Laplacian)
