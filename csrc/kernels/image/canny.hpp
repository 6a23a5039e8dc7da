#pragma once
#include <array>
#include <numbers>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct Canny : UnaryKernel {
  float sigma = std::numbers::sqrt2_v<float>;
  float low_threshold = 0.2f, high_threshold = 0.4f;
  bool use_fast_mode = true;
  std::array<float, 3> color_transform{0.299f, 0.587f, 0.114f};  // BT.601
  bool operator==(const Canny&) const = default;

  static constexpr KernelInfo info{
      "Canny", "Thin edges, 1 on them and 0 elsewhere.", "MPSImageCanny, in MPSImageConvolution.h",
      "A Gaussian, Sobel's operators, the magnitude where it is largest across the edge, and of these the pixels above high_threshold with all above low_threshold that "
      "touch them, directly or through each other, corners included. Thresholds compare with the magnitude of Sobel on pictures in [0, 1], which is not divided by "
      "anything and reaches 4.47. Apple's header leaves open what follows, and this is the CPU engine's definition: edges are 1 (255 in uint8); the Gaussian is "
      "GaussianBlur's; the direction is rounded to a multiple of 45 degrees; of equal neighbours along it the lower one stays, or the right one of a row; "
      "magnitudes outside of the picture are 0, so nothing is an edge there; and edges follow each other within what is written only. use_fast_mode lets MPS "
      "end long weak edges early; the CPU engine never does. Channels are filtered each for itself, alpha too; a one-channel output (channels=1) of a colour picture "
      "is of its gray. Where magnitudes differ in float32's last digits from each other or from a threshold, either answer may come. Pixels that NaN reaches are no edges."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"sigma", &Canny::sigma, Range{.min = 0, .max = 64}, "px", "Standard deviation of the Gaussian; 0 leaves it out."},
                 Field{"low_threshold", &Canny::low_threshold, Range{.min = 0}, "", "Magnitude above which a pixel joins an edge that it touches."},
                 Field{"high_threshold", &Canny::high_threshold, Range{.min = 0}, "", "Magnitude above which a pixel is an edge by itself; not below low_threshold."},
                 Field{"use_fast_mode", &Canny::use_fast_mode, Range{}, "", "Let Metal end long weak edges early. The CPU engine is always exact."},
                 Field{"color_transform", &Canny::color_transform, Range{}, "",
                       "Weights of red, green and blue in gray, used when the output has one channel and the source has more."}},
      unary_fields);
  static constexpr std::array tolerances{Tolerance{DType::u8, 0, 0, "0 or 255"}, Tolerance{DType::u16, 0, 0, "0 or 65535"},
                                         Tolerance{DType::f16, 0, 0, "0 or 1"}, Tolerance{DType::f32, 0, 0, "0 or 1"}};

  void validate() const {
    if (low_threshold > high_threshold)
      throw ValueError(cat(info.name, ": low_threshold is ", low_threshold, ", high_threshold is ", high_threshold,
                           "; allowed: a low one that is not above the high one. Pass both, or swap them."));
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channels_or_gray(info.name, *this, in[0], out[0], "the edges"); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Canny)
