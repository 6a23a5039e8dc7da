#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "kernels/common/window_kernel.hpp"

// Kernels that make pyramids: tuples of pictures, each level half as wide and high as the one before, rounded down, at least one pixel.
namespace mpskit::image {

inline std::int64_t pyramid_side(std::int64_t side, std::size_t level) { return std::max<std::int64_t>(1, level < 63 ? side >> level : 0); }
// Levels from this picture down to a single pixel.
std::size_t most_levels(const Layout& l);

// What all of them have (MPSImagePyramid).
struct PyramidKernel : AnyKernel {
  float center_weight = 0.375f;
  std::optional<Array> weights;
  std::optional<std::int64_t> kernel_width, kernel_height;
  EdgeMode edge_mode = EdgeMode::clamp;
  bool operator==(const PyramidKernel&) const = default;

  static constexpr float unlimited = std::numeric_limits<float>::max();
  static constexpr Range side{.min = 1, .max = 255, .odd = true};
  static constexpr auto pyramid_fields = std::tuple_cat(
      std::tuple{Field{"center_weight", &PyramidKernel::center_weight, Range{.min = -unlimited, .max = unlimited}, "",
                       "a in the five weights (1/4 - a/2, 1/4, a, 1/4, 1/4 - a/2) of each axis; 0.375 is (1, 4, 6, 4, 1) / 16."},
                 Field{"weights", &PyramidKernel::weights, Range{}, "", "Others instead: float32, shape (kernel_height, kernel_width), odd sides up to 255."},
                 Field{"kernel_width", &PyramidKernel::kernel_width, side, "px", "Width of weights; None takes it from their shape."},
                 Field{"kernel_height", &PyramidKernel::kernel_height, side, "px", "Height of weights; None takes it from their shape."},
                 Field{"edge_mode", &PyramidKernel::edge_mode, Range{}, "", "What lies beyond the border of each level: zeros, or the nearest edge pixel."}},
      options_field);

  std::vector<float> taps() const;  // of an axis, from center_weight
  WindowValues window(std::string_view kernel) const { return window_values(kernel, "weights", weights, kernel_width, kernel_height); }
};

// LaplacianPyramidSubtract and LaplacianPyramidAdd (MPSImageLaplacianPyramid).
struct LaplacianPyramidKernel : PyramidKernel {
  float laplacian_bias = 0, laplacian_scale = 1;
  bool operator==(const LaplacianPyramidKernel&) const = default;

  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"laplacian_bias", &LaplacianPyramidKernel::laplacian_bias, Range{.min = -unlimited, .max = unlimited}, "",
                       "Added to what is stored of a difference, in the values that the format means: 0.5 is half of uint8's range."},
                 Field{"laplacian_scale", &LaplacianPyramidKernel::laplacian_scale, Range{.min = -unlimited, .max = unlimited}, "", "What a difference is multiplied by before; not 0."}},
      pyramid_fields);
  static constexpr std::array operands{
      OperandSpec{"pyramid", Role::input, Kind::image, image_dtypes, "The levels, the largest first, of one dtype; as a tuple or one by one.", Count::many},
      OperandSpec{"out", Role::output, Kind::image, image_dtypes, "As many levels of the same shapes and dtype, a tuple; made when omitted.", Count::many}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
};

// Rules between the fields, and the shape rules, with the kernel's name for the message.
void check_pyramid(std::string_view kernel, const PyramidKernel& k);
void check_laplacian_pyramid(std::string_view kernel, const LaplacianPyramidKernel& k);
void check_laplacian_pyramid(std::string_view kernel, std::span<const Layout> in, std::span<const Layout> out);
// `levels` are those of one pyramid. `name` is what a message calls it.
void require_levels(std::string_view kernel, std::string_view name, std::span<const Layout> levels);

}  // namespace mpskit::image
