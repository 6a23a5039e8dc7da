#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct IntegralOfSquares : UnaryKernel {
  bool operator==(const IntegralOfSquares&) const = default;

  static constexpr KernelInfo info{
      "IntegralOfSquares", "Sum of the squares of all pixels above and to the left of each, itself included.", "MPSImageIntegralOfSquares, in MPSImageIntegral.h",
      "out[y, x] = the sum of image * image over rows up to y and columns up to x, both included: out[0, 0] is the first pixel's, the last one the total. Apple's "
      "text can be read as if row y and column x were left out; programs that use its class read it as it is here. Values are those that the format "
      "means: a white pixel of uint8 adds 1. Sums begin where offset says and run over clip_rect; beyond the border the edge mode decides. float32 is made "
      "unless dtype asks for another: uint8 and uint16 outputs clamp at 1, float16 overflows at 65520. Sums are exact or float64 on the CPU engine and "
      "rounded once. NaN and infinity reach everything below and to the right."};
  static constexpr auto fields = unary_fields;
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 0, 2e-7, "one rounding; a GPU may add in float32, 1e-6 of the sum of magnitudes"}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const Layout out = like_source(in[0], hints);
    return {Layout::image(hints.dtype.value_or(DType::f32), out.images(), out.height(), out.width(), out.channels())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    check_same_channels(info.name, in[0], out[0]);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, IntegralOfSquares)
