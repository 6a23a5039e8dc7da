#pragma once
#include "kernels/common/window_kernel.hpp"

namespace mpskit::image {

struct Convolution : UnaryKernel {
  std::optional<Array> weights;
  float bias = 0;
  std::optional<std::int64_t> kernel_width, kernel_height;
  bool operator==(const Convolution&) const = default;

  static constexpr KernelInfo info{
      "Convolution", "Weigh the pixels of a window around each pixel and add them.", "MPSImageConvolution, in MPSImageConvolution.h",
      "out[y, x] = bias + the sum of weights[j, i] * image[y + j - kernel_height // 2, x + i - kernel_width // 2], channels each for itself, alpha "
      "and its bias too. The weights are not turned around: it is a correlation; Apple's text is read that way. Nothing is normalised, so divide "
      "the weights first. Values are those that the format means, 0 to 1 for uint8; outputs of uint8 and uint16 clamp. Weights that are the product of "
      "a column and a row are taken one after the other. NaN and infinity spread as far as the window."};
  static constexpr Range side{.min = 1, .max = 255, .odd = true};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"weights", &Convolution::weights, Range{}, "", "Float32, shape (kernel_height, kernel_width), odd sides up to 255."},
                 Field{"bias", &Convolution::bias, Range{}, "", "Added to every sum."},
                 Field{"kernel_width", &Convolution::kernel_width, side, "px", "Width of the window; None takes it from the weights' shape."},
                 Field{"kernel_height", &Convolution::kernel_height, side, "px", "Height of the window; None takes it from the weights' shape."}},
      unary_fields);
  static constexpr int positional = 1;
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value; weights whose magnitudes add to more than 64, S, give S / 64 times that"},
      Tolerance{DType::f16, 2e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 2e-6, 1e-6, "float32 sums; absolute for values and weights whose magnitudes add to 1"}};

  WindowValues window() const { return window_values(info.name, "weights", weights, kernel_width, kernel_height); }
  void validate() const { window(); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Convolution)
