#pragma once
#include <array>
#include <span>
#include <string_view>
#include <tuple>

#include "core/geometry.hpp"
#include "core/kernel.hpp"
#include "kernels/common/kernel_options.hpp"

namespace mpskit {

enum class EdgeMode { zero, clamp };
template <>
inline constexpr auto enum_names<EdgeMode> = std::array<std::string_view, 2>{"zero", "clamp"};

namespace image {

inline constexpr OperandSpec source_image{
    "image", Role::input, Kind::image, image_dtypes,
    "The picture, shape (height, width), (height, width, channels) or (images, height, width, channels)."};
inline constexpr OperandSpec destination_image{
    "out", Role::output, Kind::image, image_dtypes, "Where the result goes; made when omitted."};

// What every image kernel has (MPSKernel).
struct AnyKernel {
  KernelOptions options = KernelOptions::none;
  bool operator==(const AnyKernel&) const = default;

  static constexpr std::tuple options_field{
      Field{"options", &AnyKernel::options, Range{}, "",
            "allow_reduced_precision lets a GPU compute in less than its formats hold where that is quicker, so results vary with the hardware. The CPU engine never does."}};
};

// What every unary image kernel has (MPSUnaryImageKernel); one that makes something else of its source states its own operands and infer. Destination pixel d reads around source pixel
// s = d - clip_rect.origin + offset; only destination pixels inside clip_rect are written.
struct UnaryKernel : AnyKernel {
  EdgeMode edge_mode = EdgeMode::clamp;
  Offset offset;
  Region clip_rect;
  bool operator==(const UnaryKernel&) const = default;

  static constexpr auto unary_fields = std::tuple_cat(
      std::tuple{Field{"edge_mode", &UnaryKernel::edge_mode, Range{}, "", "What lies beyond the border: zeros, or the nearest edge pixel. Most of Apple's classes begin with zeros."},
                 Field{"offset", &UnaryKernel::offset, Range{}, "px", "Source pixel (x, y) under the top left corner of clip_rect; may be negative."},
                 Field{"clip_rect", &UnaryKernel::clip_rect, Range{}, "px", "Part of the destination that is written, (x, y, width, height); None is all of it."}},
      options_field);

  static constexpr std::array operands{source_image, destination_image};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  // True when some pixel of the destination keeps its old value.
  bool reads_outputs(std::span<const Layout> outputs) const;
};

// The destination pixels that are written: clip_rect cut to the destination.
struct Window {
  std::int64_t x, y, width, height;
};
Window clip_window(const Region& clip_rect, const Layout& dst);

// What kernels that may make gray pictures do with a colour one: to one channel it becomes gray first.
bool converts_to_gray(const Layout& src, const Layout& dst);

// What is one of the source's elements.
inline constexpr std::array tolerances_of_elements{
    Tolerance{DType::u8, 1, 0, "exact from uint8; one code of the rounded exact value from others"},
    Tolerance{DType::u16, 1, 0, "exact from uint16; one code of the rounded exact value from others"},
    Tolerance{DType::f16, 1e-7, 1e-3, "exact from float16; one rounding to half precision from others"},
    Tolerance{DType::f32, 0, 2e-7, "exact from float32 and float16; one rounding from codes"}};

// Shape rules of image kernels, with the kernel's name for the message.
Layout like_source(const Layout& src, const OutputHints& hints);
void check_unary(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst);
// Both rules of kernels that work on each channel for itself.
void check_channelwise(std::string_view kernel, const UnaryKernel& k, std::span<const Layout> in, std::span<const Layout> out);
void check_same_channels(std::string_view kernel, const Layout& src, const Layout& dst);
// Of those that make a gray picture too: `what` of it.
void check_channels_or_gray(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst, std::string_view what);
// The part of the source that is read is not empty.
void check_source(std::string_view kernel, const Layout& src, const Region& clip_rect_source);
// x and y of what is found have 16 bits. `what` they are.
void check_found(std::string_view kernel, const Layout& src, std::string_view what);

}  // namespace image
}  // namespace mpskit
