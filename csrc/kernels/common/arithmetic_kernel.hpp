#pragma once
#include <limits>

#include "kernels/common/binary_image_kernel.hpp"

namespace mpskit::image {

// Add, Subtract, Multiply and Divide (MPSImageArithmetic). Destination pixel d reads pixel offset + stride * (d - clip_rect.origin) of each picture.
struct ArithmeticKernel : BinaryKernel {
  static constexpr float unlimited = std::numeric_limits<float>::max();
  float primary_scale = 1, secondary_scale = 1, bias = 0;
  Size primary_stride_in_pixels{1, 1, 1}, secondary_stride_in_pixels{1, 1, 1};
  float minimum_value = -unlimited, maximum_value = unlimited;
  bool operator==(const ArithmeticKernel&) const = default;

  static constexpr Range number{.min = -unlimited, .max = unlimited};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"primary_scale", &ArithmeticKernel::primary_scale, number, "", "What primary is multiplied by first."},
                 Field{"secondary_scale", &ArithmeticKernel::secondary_scale, number, "", "What secondary is multiplied by first."},
                 Field{"bias", &ArithmeticKernel::bias, number, "", "What is added to the result, in the values that the formats mean: 1 is white."},
                 Field{"minimum_value", &ArithmeticKernel::minimum_value, number, "", "Results below it become it; the default is no limit."},
                 Field{"maximum_value", &ArithmeticKernel::maximum_value, number, "", "Results above it become it; the default is no limit."},
                 Field{"primary_stride_in_pixels", &ArithmeticKernel::primary_stride_in_pixels, Range{}, "",
                       "(x, y) or (x, y, image), each 1, or 0 to repeat: (0, 1) is one column for all columns, (1, 0) one row, (0, 0) one pixel for all. The first is that at the offset, wherever clip_rect begins: Apple does not say."},
                 Field{"secondary_stride_in_pixels", &ArithmeticKernel::secondary_stride_in_pixels, Range{}, "", "The same of secondary."}},
      binary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision; absolute for scaled values and bias within [-1, 1]"},
      Tolerance{DType::f32, 5e-7, 1e-6, "float32 arithmetic; absolute for scaled values and bias within [-1, 1]"}};
};

// Rules between fields, the layout that is made, and the shape rules, with the kernel's name for the message.
void check_arithmetic(std::string_view kernel, const ArithmeticKernel& k);
Layout arithmetic_result(std::string_view kernel, const ArithmeticKernel& k, std::span<const Layout> in, const OutputHints& hints);
void check_arithmetic(std::string_view kernel, const ArithmeticKernel& k, std::span<const Layout> in, const Layout& dst);

}  // namespace mpskit::image
