#pragma once
#include <cstdint>
#include <optional>

#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

// LanczosScale and BilinearScale (MPSImageScale).
struct ScaleKernel : UnaryKernel {
  std::optional<ScaleTransform> scale_transform;
  std::optional<std::int64_t> width, height;
  bool operator==(const ScaleKernel&) const = default;

  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"scale_transform", &ScaleKernel::scale_transform, Range{}, "",
                       "(scale_x, scale_y, translate_x, translate_y), dest = source * scale + translate; None fits the source to the output."},
                 Field{"width", &ScaleKernel::width, Range{.min = 1, .max = 1 << 20}, "px",
                       "Width of the output when out is omitted; None is the source's."},
                 Field{"height", &ScaleKernel::height, Range{.min = 1, .max = 1 << 20}, "px",
                       "Height of the output when out is omitted; None is the source's."}},
      unary_fields);
  static constexpr std::array operands{source_image, destination_image};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
};

// Below, a filter that widens when it reduces has more than 24576 taps an axis; a fit (scale_transform=None) has no such limit.
inline constexpr double least_scale = 1.0 / 4096;

// Rules between fields, and the shape rules, with the kernel's name for the message.
void check_scale(std::string_view kernel, const ScaleKernel& k);
void check_scale(std::string_view kernel, const ScaleKernel& k, const Layout& src, const Layout& dst);

}  // namespace mpskit::image
