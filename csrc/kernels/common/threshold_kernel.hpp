#pragma once
#include <array>

#include "kernels/common/image_kernel.hpp"

// Kernels that compare gray values with a threshold.
namespace mpskit::image {

struct ThresholdKernel : UnaryKernel {
  float threshold_value = 0.5f;
  std::array<float, 3> transform{0.299f, 0.587f, 0.114f};  // BT.601
  bool operator==(const ThresholdKernel&) const = default;

  static constexpr std::tuple threshold_field{
      Field{"threshold_value", &ThresholdKernel::threshold_value, Range{}, "", "What is compared with, in the values that the format means: 0.5 is half of uint8's range."}};
  static constexpr std::tuple transform_field{
      Field{"transform", &ThresholdKernel::transform, Range{}, "", "Weights of red, green and blue in the gray of pictures that have colour; linear_gray_color_transform is the same."}};
  static constexpr auto fields = std::tuple_cat(threshold_field, transform_field, unary_fields);
  static constexpr std::array aliases{Alias{"linear_gray_color_transform", {"transform", ""}}};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value, where no gray value lies within a rounding of the threshold"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value, where no gray value lies within a rounding of the threshold"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-6, 1e-6, "a float32 sum of three products"}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    Layout out = like_source(in[0], hints);
    return {Layout::image(out.dtype, out.images(), out.height(), out.width(), hints.channels.value_or(1))};
  }
};
// Those that write one of two numbers.
struct BinaryThresholdKernel : ThresholdKernel {
  float maximum_value = 1;
  bool operator==(const BinaryThresholdKernel&) const = default;

  static constexpr auto fields = std::tuple_cat(threshold_field, std::tuple{Field{"maximum_value", &BinaryThresholdKernel::maximum_value, Range{}, "", "The value that is written where it is not 0."}}, transform_field, unary_fields);
};

void check_threshold(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst);

}  // namespace mpskit::image
