#pragma once
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "core/geometry.hpp"
#include "core/kernel.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::cnn {

// What every kernel of networks has (MPSCNNKernel). Pixel clip_rect.origin + (x, y) of the destination has its window centred at
// offset + stride * (x, y) of the source.
struct UnaryKernel {
  std::optional<Offset> offset;
  Region clip_rect;
  std::int64_t destination_feature_channel_offset = 0;
  std::int64_t source_feature_channel_offset = 0;
  std::optional<std::int64_t> source_feature_channel_max_count;
  bool operator==(const UnaryKernel&) const = default;

  static constexpr Range channels{.min = 0, .max = 1 << 24};
  static constexpr std::tuple unary_fields{
      Field{"offset", &UnaryKernel::offset, Range{}, "px", "Source pixel (x, y), or (x, y, image), under the centre of the first window; None is where padding puts it."},
      Field{"clip_rect", &UnaryKernel::clip_rect, Range{}, "px", "Part of the destination that is written, (x, y, width, height), or (x, y, image, width, height, images); None is all of it."},
      Field{"destination_feature_channel_offset", &UnaryKernel::destination_feature_channel_offset, channels, "channels", "First channel of the destination that is written, a multiple of 4."},
      Field{"source_feature_channel_offset", &UnaryKernel::source_feature_channel_offset, channels, "channels", "First channel of the source that is read, a multiple of 4."},
      Field{"source_feature_channel_max_count", &UnaryKernel::source_feature_channel_max_count, Range{.min = 1, .max = 1 << 24}, "channels", "Most channels that are read; None is all from the first."}};

  void require_unary(std::string_view kernel) const;  // rules between the fields
};

// Size of the result and where windows lie, when offset is None. Apple's policies centre the windows and divide the surplus pixels
// evenly; explicit pixels beyond each border begin there.
struct Padding {
  enum class Size : std::uint8_t { same, valid, full, pixels };
  Size size = Size::same;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;  // of Size::pixels
  bool operator==(const Padding&) const = default;
};
enum class PaddingRemainder { top_left, top_right, bottom_left, bottom_right };

// One axis of a window.
struct Taps {
  std::int64_t count = 1, stride = 1, dilation = 1;
  std::int64_t extent() const { return (count - 1) * dilation + 1; }
};

struct WindowKernel : UnaryKernel {
  EdgeMode edge_mode = EdgeMode::zero;
  Padding padding;
  PaddingRemainder padding_remainder = PaddingRemainder::top_left;
  bool operator==(const WindowKernel&) const = default;

  static constexpr auto window_fields = std::tuple_cat(
      std::tuple{Field{"padding", &WindowKernel::padding, Range{}, "",
                       "'same': as many pixels as the source, divided by the stride; 'valid': windows inside the source; 'full': windows that touch it; or pixels "
                       "beyond the border: a number, (vertical, horizontal) or ((top, bottom), (left, right))."},
                 Field{"padding_remainder", &WindowKernel::padding_remainder, Range{}, "",
                       "Where an odd pixel of 'same', 'valid' and 'full' goes: 'top_left' as in MPS and ONNX SAME_LOWER, 'bottom_right' as in TensorFlow."},
                 Field{"edge_mode", &WindowKernel::edge_mode, Range{}, "", "What lies beyond the border: zeros, or the nearest edge pixel."}},
      unary_fields);

  // Rows and columns of the result of a source of that size; ValueError when there are none.
  struct ResultSize {
    std::int64_t height, width;
  };
  ResultSize result_size(std::string_view kernel, const Layout& src, const Taps& y, const Taps& x) const;
  Offset centre(const Layout& src, const Taps& y, const Taps& x) const;  // of the first window: `offset`, else by padding
};

// What a call reads and writes.
struct Part {
  std::int64_t x, y, width, height;             // pixels of the destination
  std::int64_t destination_image, source_image, images;  // the first ones, and how many
  std::int64_t source_channel, source_channels, destination_channel;
};
// Throws unless image and out fit a kernel that makes `channels` channels out of all that it reads.
Part part_of(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst, std::int64_t channels);
std::int64_t channels_read(std::string_view kernel, const UnaryKernel& k, const Layout& src);
// The result of a call without out.
Layout result_of(std::string_view kernel, const UnaryKernel& k, const Layout& src, std::int64_t height, std::int64_t width, std::int64_t channels,
                 const OutputHints& hints);
// Throws unless out has the size that the padding makes; an offset or clip_rect leaves the size to the caller.
void require_size(std::string_view kernel, const UnaryKernel& k, const Layout& dst, std::int64_t height, std::int64_t width,
                  std::string_view reason = "the padding makes");
// True when a part of the destination keeps its old contents. Kernels that write as many channels as they read do not say how many:
// then the destination is taken to have no others.
bool leaves_a_part(const UnaryKernel& k, const Layout& dst, std::optional<std::int64_t> channels);

inline constexpr OperandSpec source_image{"image", Role::input, Kind::image, image_dtypes,
                                          "Shape (height, width), (height, width, channels) or (images, height, width, channels); uint8 and uint16 count as value / 255 and value / 65535."};
inline constexpr OperandSpec destination_image{"out", Role::output, Kind::image, image_dtypes, "Where the result goes; made when omitted."};

}  // namespace mpskit::cnn

template <>
inline constexpr auto mpskit::enum_names<mpskit::cnn::PaddingRemainder> =
    std::array<std::string_view, 4>{"top_left", "top_right", "bottom_left", "bottom_right"};
