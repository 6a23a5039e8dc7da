#pragma once
#include "kernels/common/morphology.hpp"

namespace mpskit::image {

struct AreaMin : WindowKernel<1023> {
  bool operator==(const AreaMin&) const = default;

  static constexpr KernelInfo info{
      "AreaMin", "Smallest value in a window around each pixel.", "MPSImageAreaMin, in MPSImageMorphology.h",
      "Channels each for itself, alpha too. Beyond the border lies the nearest edge pixel, which never changes the result. Nothing is computed: where "
      "image and out have one format the result is exact. Of a window with NaN in it any element may come out. On a metal device windows of more than "
      "241 px a side are several smaller ones, one after the other, which is the same."};
  static constexpr auto fields = std::tuple_cat(window_fields, unary_fields);
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "exact from uint8; one code of the rounded exact value from others"},
      Tolerance{DType::u16, 1, 0, "exact from uint16; one code of the rounded exact value from others"},
      Tolerance{DType::f16, 1e-7, 1e-3, "exact from float16; one rounding to half precision from others"},
      Tolerance{DType::f32, 0, 2e-7, "exact from float32 and float16; one rounding from codes"}};

  void validate() const { check_clamped(info.name, edge_mode); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const { return {like_source(in[0], hints)}; }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    check_same_channels(info.name, in[0], out[0]);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, AreaMin)
