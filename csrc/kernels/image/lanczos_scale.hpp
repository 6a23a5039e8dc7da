#pragma once
#include "kernels/common/scale_kernel.hpp"

namespace mpskit::image {

struct LanczosScale : ScaleKernel {
  bool operator==(const LanczosScale&) const = default;

  static constexpr KernelInfo info{
      "LanczosScale", "Resize with a Lanczos filter that widens when it reduces.", "MPSImageLanczosScale, in MPSImageResampling.h",
      "Lanczos-3 along each axis, L(t) = sinc(t) * sinc(t / 3) for |t| < 3, stretched by 1 / scale when it reduces, weights "
      "divided by their sum: flat areas stay flat. Beyond the border lies the nearest edge pixel, and 'zero' is refused. Overshoot is kept until the "
      "store, which clamps it for uint8 and uint16. clip_rect masks: without a scale_transform it does not move the picture, "
      "with one the picture's origin is the corner of clip_rect. Alpha is resized as colour is; premultiply it first. NaN and "
      "infinity spread as far as the filter. Apple states neither lobes nor normalization of its own kernel: results on a GPU "
      "may differ at edges."};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 4e-6, 4e-6, "float32 sums of weights of both signs, twice; absolute for inputs within [-1, 1]"}};

  void validate() const { check_scale(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_scale(info.name, *this, in[0], out[0]); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, LanczosScale)
