#pragma once
#include "kernels/common/scale_kernel.hpp"

namespace mpskit::image {

struct BilinearScale : ScaleKernel {
  bool operator==(const BilinearScale&) const = default;

  static constexpr KernelInfo info{
      "BilinearScale", "Resize with bilinear interpolation.", "MPSImageBilinearScale, in MPSImageResampling.h",
      "Each output pixel is a mean of the four source pixels around its place, weighed by how near they are; no filter comes before, so reducing to less than half "
      "leaves pixels out and aliases: LanczosScale does not. Beyond the border lies the nearest edge pixel, and 'zero' is refused. "
      "clip_rect masks: without a scale_transform it does "
      "not move the picture, with one the picture's origin is the corner of clip_rect. Alpha is resized as colour is; premultiply it first. A pixel of weight 0 is "
      "not read: NaN there does not spread. A GPU may know only 256 places between two pixels: results differ there by up to 1/256 of the difference of neighbours."};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 1e-6, 1e-6, "float32 sums of four weighted pixels; absolute for inputs within [-1, 1]"}};

  void validate() const { check_scale(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_scale(info.name, *this, in[0], out[0]); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, BilinearScale)
