#pragma once
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct EuclideanDistanceTransform : UnaryKernel {
  static constexpr float unlimited = std::numeric_limits<float>::max();

  float search_limit_radius = unlimited;
  bool operator==(const EuclideanDistanceTransform&) const = default;

  static constexpr KernelInfo info{
      "EuclideanDistanceTransform", "Distance of each pixel to the nearest one that is not 0.", "MPSImageEuclideanDistanceTransform, in MPSImageDistanceTransform.h",
      "In pixels, not squared; 0 where image is not 0 itself, -0 is 0 and NaN is not. The exact squared distance is found in time that depends on the number of pixels alone. image has "
      "one channel. float32 is made unless dtype asks for another: uint8 and uint16 outputs are full at distance 1, float16 is infinite from 65520 on. A picture of zeros gives infinity; on a GPU "
      "some number larger than its sides. Beyond search_limit_radius Apple promises some number larger than it; the CPU engine writes the distance. A pixel that offset puts beyond the border is as far from image as it lies; "
      "edge_mode 'clamp' continues the border's pixels there, 'zero' has nothing there. Apple does not say how offset works here; on a GPU it may act otherwise."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"search_limit_radius", &EuclideanDistanceTransform::search_limit_radius, Range{.min = 0, .max = unlimited, .open_min = true}, "px",
                       "Distances up to it are exact, larger ones need only be larger than it, which is less work for a GPU; the default is no limit."}},
      unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 0, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 0, 2e-7, "the root of an exact integer, each rounded once"}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const Layout out = like_source(in[0], hints);
    return {Layout::image(hints.dtype.value_or(DType::f32), out.images(), out.height(), out.width(), out.channels())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    if (in[0].channels() != 1)
      throw ValueError(cat(info.name, ": image has ", counted(in[0].channels(), "channel"), "; allowed: 1. Pass one of them, image[..., 0], or a mask of all."));
    check_same_channels(info.name, in[0], out[0]);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, EuclideanDistanceTransform)
