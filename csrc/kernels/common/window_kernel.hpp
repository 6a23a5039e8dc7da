#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "kernels/common/array.hpp"
#include "kernels/common/image_kernel.hpp"

// Image kernels that look at a window around each pixel.
namespace mpskit::image {

// A window of odd sides, centred on the pixel.
template <std::int64_t most>
struct WindowKernel : UnaryKernel {
  std::int64_t kernel_width = 3, kernel_height = 3;
  bool operator==(const WindowKernel&) const = default;

  static constexpr Range side{.min = 1, .max = static_cast<double>(most), .odd = true};
  static constexpr std::tuple window_fields{
      Field{"kernel_width", &WindowKernel::kernel_width, side, "px", "Width of the window."},
      Field{"kernel_height", &WindowKernel::kernel_height, side, "px", "Height of the window."}};
};

// A number for each place of a window, row by row, as Convolution's weights.
struct WindowValues {
  std::int64_t width, height;
  std::span<const float> values;
  float at(std::int64_t row, std::int64_t column) const { return values[static_cast<std::size_t>(row * width + column)]; }
  float centre() const { return at(height / 2, width / 2); }
};

// The window as a column times a row, to a rounding of each weight; nothing when it is none. The column keeps its size, the row's
// largest weight is 1: neither overflows.
struct WindowProduct {
  std::vector<float> down, across;
};
std::optional<WindowProduct> product_of(const WindowValues& w);

// `name` is an array of (height, width); or any array of as many numbers, with both sides given. Throws unless the sides are odd
// and within 255, and the numbers finite float32.
WindowValues window_values(std::string_view kernel, std::string_view name, const std::optional<Array>& array, const std::optional<std::int64_t>& width,
                           const std::optional<std::int64_t>& height);

}  // namespace mpskit::image
