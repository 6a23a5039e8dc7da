#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

// What every binary image kernel has (MPSBinaryImageKernel): two pictures make one. Only destination pixels inside clip_rect are written;
// each picture has an offset and an edge mode of its own.
struct BinaryKernel : AnyKernel {
  Offset primary_offset, secondary_offset;
  EdgeMode primary_edge_mode = EdgeMode::clamp, secondary_edge_mode = EdgeMode::clamp;
  Region clip_rect;
  bool operator==(const BinaryKernel&) const = default;

  static constexpr auto binary_fields = std::tuple_cat(
      std::tuple{Field{"primary_offset", &BinaryKernel::primary_offset, Range{}, "px", "Pixel (x, y) of primary under the top left corner of clip_rect; may be negative."},
                 Field{"secondary_offset", &BinaryKernel::secondary_offset, Range{}, "px", "The same of secondary."},
                 Field{"primary_edge_mode", &BinaryKernel::primary_edge_mode, Range{}, "", "What lies beyond the border of primary: zeros, or the nearest edge pixel. Apple's classes begin with zeros."},
                 Field{"secondary_edge_mode", &BinaryKernel::secondary_edge_mode, Range{}, "", "The same of secondary."},
                 Field{"clip_rect", &BinaryKernel::clip_rect, Range{}, "px", "Part of the destination that is written, (x, y, width, height); None is all of it."}},
      options_field);

  static constexpr std::array operands{
      OperandSpec{"primary", Role::input, Kind::image, image_dtypes,
                  "The first picture, shape (height, width), (height, width, channels) or (images, height, width, channels)."},
      OperandSpec{"secondary", Role::input, Kind::image, image_dtypes, "The second picture, of as many channels."}, destination_image};

  // True when some pixel of the destination keeps its old value.
  bool reads_outputs(std::span<const Layout> outputs) const;
};

// Shape rules of all of them: something to read, as many channels everywhere, a clip_rect that meets out.
void check_binary(std::string_view kernel, const BinaryKernel& k, std::span<const Layout> in, const Layout& dst);

}  // namespace mpskit::image
