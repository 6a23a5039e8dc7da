#include "kernels/common/cnn_kernel.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::cnn {
namespace {

std::int64_t up_divided(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

struct Axis {
  std::int64_t source;
  Taps taps;
  std::int64_t pad_begin, pad_end;
  bool remainder_first;
};

std::int64_t result_extent(Padding::Size size, const Axis& a) {
  const std::int64_t k = a.taps.extent(), s = a.taps.stride;
  switch (size) {
    case Padding::Size::same: return up_divided(a.source, s);
    case Padding::Size::valid: return up_divided(a.source - (k - 1), s);
    case Padding::Size::full: return up_divided(a.source + (k - 1), s);
    case Padding::Size::pixels: break;
  }
  const std::int64_t span = a.source + a.pad_begin + a.pad_end - k;
  return span < 0 ? 0 : span / s + 1;
}
std::int64_t first_centre(Padding::Size size, const Axis& a) {
  const std::int64_t k = a.taps.extent();
  if (size == Padding::Size::pixels) return k / 2 - a.pad_begin;
  const std::int64_t extra = (result_extent(size, a) - 1) * a.taps.stride + k - a.source;
  return k / 2 - (extra + (a.remainder_first ? 1 : 0)) / 2;  // rounds toward zero, as Apple's formula does
}
Axis vertical(const WindowKernel& k, const Layout& src, const Taps& taps) {
  const bool first = k.padding_remainder == PaddingRemainder::top_left || k.padding_remainder == PaddingRemainder::top_right;
  return {src.height(), taps, k.padding.top, k.padding.bottom, first};
}
Axis horizontal(const WindowKernel& k, const Layout& src, const Taps& taps) {
  const bool first = k.padding_remainder == PaddingRemainder::top_left || k.padding_remainder == PaddingRemainder::bottom_left;
  return {src.width(), taps, k.padding.left, k.padding.right, first};
}

std::int64_t z_of(const UnaryKernel& k) { return k.offset ? k.offset->z : 0; }

}  // namespace

void UnaryKernel::require_unary(std::string_view kernel) const {
  const auto whole_slices = [&](std::string_view name, std::int64_t channel) {
    if (channel % 4 != 0)
      throw ValueError(cat(kernel, ": ", name, " is ", channel, "; allowed: a multiple of 4, the channels that Metal stores together. Pass one."));
  };
  whole_slices("destination_feature_channel_offset", destination_feature_channel_offset);
  whole_slices("source_feature_channel_offset", source_feature_channel_offset);
  constexpr std::int64_t far = 1 << 30;
  if (offset && (offset->z < 0 || std::max({offset->x, -offset->x, offset->y, -offset->y, offset->z}) > far))
    throw ValueError(cat(kernel, ": offset is (", offset->x, ", ", offset->y, ", ", offset->z, "); allowed: x and y within 2**30 pixels, an image from 0. "
                         "Count from the first pixel of the first image."));
}

WindowKernel::ResultSize WindowKernel::result_size(std::string_view kernel, const Layout& src, const Taps& y, const Taps& x) const {
  constexpr std::int64_t most = 1 << 16;
  if (std::max(y.extent(), x.extent()) > most)
    throw ValueError(cat(kernel, ": windows with dilation are ", x.extent(), " x ", y.extent(), " px; allowed: ", most, " at most on each axis. Pass a smaller dilation."));
  const ResultSize size{result_extent(padding.size, vertical(*this, src, y)), result_extent(padding.size, horizontal(*this, src, x))};
  if (size.height < 1 || size.width < 1)
    throw ValueError(cat(kernel, ": image is ", src.width(), " x ", src.height(), " and windows are ", x.extent(), " x ", y.extent(),
                         ", so that none fits; allowed: one or more. Pass more padding, such as padding='same'."));
  return size;
}
Offset WindowKernel::centre(const Layout& src, const Taps& y, const Taps& x) const {
  if (offset) return *offset;
  return {first_centre(padding.size, horizontal(*this, src, x)), first_centre(padding.size, vertical(*this, src, y)), 0};
}

std::int64_t channels_read(std::string_view kernel, const UnaryKernel& k, const Layout& src) {
  const std::int64_t left = src.channels() - k.source_feature_channel_offset;
  if (left < 1)
    throw ValueError(cat(kernel, ": source_feature_channel_offset is ", k.source_feature_channel_offset, ", image has ", src.channels(),
                         " channels; allowed: less than that. Pass an offset inside the image."));
  return std::min(left, k.source_feature_channel_max_count.value_or(left));
}

Part part_of(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst, std::int64_t channels) {
  const std::int64_t read = channels_read(kernel, k, src);
  if (src.is_empty()) throw ValueError(cat(kernel, ": image is ", src.describe(), "; allowed: at least one pixel and one channel."));
  const std::int64_t end = k.destination_feature_channel_offset + channels;
  if (dst.channels() < end)
    throw ValueError(cat(kernel, ": out has ", counted(dst.channels(), "channel"), "; allowed: ", end, " or more, ", channels, " are written",
                         k.destination_feature_channel_offset > 0 ? " behind destination_feature_channel_offset" : "", ". Make out with as many."));
  const image::Window w = image::clip_window(k.clip_rect, dst);
  if (w.width <= 0 || w.height <= 0)
    throw ValueError(cat(kernel, ": clip_rect begins at (", k.clip_rect.origin.x, ", ", k.clip_rect.origin.y, ") and holds no pixel of out (", dst.width(), " x ",
                         dst.height(), "); allowed: a rectangle that meets it. Pass (x, y, width, height)."));
  const std::int64_t first = k.clip_rect.origin.z, from = z_of(k);
  const std::int64_t images = std::min(k.clip_rect.size.depth, dst.images() - first);
  if (images < 1)
    throw ValueError(cat(kernel, ": clip_rect begins at image ", first, ", out has ", dst.images(), "; allowed: one that out has. Pass (x, y, image, width, height, images)."));
  const bool selects = first != 0 || from != 0 || k.clip_rect.size.depth != Region::unlimited;
  if (selects ? from + images > src.images() : src.images() != dst.images())
    throw ValueError(selects ? cat(kernel, ": images ", from, " to ", from + images - 1, " are read, image has ", src.images(),
                                   "; allowed: images that it has. Mend z of offset and clip_rect.")
                             : cat(kernel, ": image has ", counted(src.images(), "image"), ", out has ", dst.images(), "; allowed: the same number. Make out with shape (",
                                   src.images(), ", height, width, channels)."));
  return {w.x, w.y, w.width, w.height, first, from, images, k.source_feature_channel_offset, read, k.destination_feature_channel_offset};
}

Layout result_of(std::string_view kernel, const UnaryKernel& k, const Layout& src, std::int64_t height, std::int64_t width, std::int64_t channels,
                 const OutputHints& hints) {
  const std::int64_t all = k.destination_feature_channel_offset + channels;
  if (hints.channels && *hints.channels != all)
    throw ValueError(cat(kernel, ": channels is ", *hints.channels, "; allowed: ", all, ", which it makes. Omit it."));
  const std::int64_t images = k.clip_rect.origin.z + std::min(k.clip_rect.size.depth, src.images() - z_of(k));
  return Layout::image(hints.dtype.value_or(src.dtype), std::max<std::int64_t>(images, 1), height, width, all);
}

void require_size(std::string_view kernel, const UnaryKernel& k, const Layout& dst, std::int64_t height, std::int64_t width, std::string_view reason) {
  if (k.offset || !k.clip_rect.is_everything() || (dst.height() == height && dst.width() == width)) return;
  throw ValueError(cat(kernel, ": out is ", dst.width(), " x ", dst.height(), ", ", reason, " ", width, " x ", height,
                       "; allowed: the same size. Omit out, or say with offset where the windows lie."));
}

bool leaves_a_part(const UnaryKernel& k, const Layout& dst, std::optional<std::int64_t> channels) {
  if (k.destination_feature_channel_offset > 0 || channels.value_or(dst.channels()) != dst.channels()) return true;
  if (k.clip_rect.is_everything()) return false;
  const image::Window w = image::clip_window(k.clip_rect, dst);
  return w.width < dst.width() || w.height < dst.height() || k.clip_rect.origin.z != 0 || k.clip_rect.size.depth < dst.images();
}

}  // namespace mpskit::cnn
