#include "kernels/common/image_kernel.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

Window clip_window(const Region& clip, const Layout& dst) {
  const std::int64_t x = std::min(clip.origin.x, dst.width()), y = std::min(clip.origin.y, dst.height());
  return {x, y, std::min(clip.size.width, dst.width() - x), std::min(clip.size.height, dst.height() - y)};
}

bool UnaryKernel::reads_outputs(std::span<const Layout> outputs) const {
  if (clip_rect.is_everything()) return false;
  const Window w = clip_window(clip_rect, outputs[0]);
  return w.width < outputs[0].width() || w.height < outputs[0].height();
}

bool converts_to_gray(const Layout& src, const Layout& dst) { return dst.channels() == 1 && src.channels() > 1; }

Layout like_source(const Layout& src, const OutputHints& hints) {
  return Layout::image(hints.dtype.value_or(src.dtype), src.images(), src.height(), src.width(),
                       hints.channels.value_or(src.channels()));
}

void check_unary(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst) {
  if (src.images() != dst.images())
    throw ValueError(cat(kernel, ": image has ", counted(src.images(), "image"), ", out has ", dst.images(),
                         "; allowed: the same number. Make out with shape (", src.images(), ", height, width, channels)."));
  if (src.is_empty())
    throw ValueError(cat(kernel, ": image is ", src.describe(), "; allowed: at least one pixel and one channel."));
  const auto z_is_used = k.offset.z != 0 || k.clip_rect.origin.z != 0 || k.clip_rect.size.depth != Region::unlimited;
  if (z_is_used)
    throw ValueError(cat(kernel, ": offset or clip_rect selects images by z; allowed: z only in cnn kernels. Slice the batch instead."));
  const Window w = clip_window(k.clip_rect, dst);
  if (w.width <= 0 || w.height <= 0)
    throw ValueError(cat(kernel, ": clip_rect begins at (", k.clip_rect.origin.x, ", ", k.clip_rect.origin.y, ") and holds no pixel of out (",
                         dst.width(), " x ", dst.height(), "); allowed: a rectangle that meets it. Pass (x, y, width, height)."));
}

Layouts UnaryKernel::infer(std::span<const Layout> in, const OutputHints& hints) const { return {like_source(in[0], hints)}; }

void check_channelwise(std::string_view kernel, const UnaryKernel& k, std::span<const Layout> in, std::span<const Layout> out) {
  check_unary(kernel, k, in[0], out[0]);
  check_same_channels(kernel, in[0], out[0]);
}

void check_same_channels(std::string_view kernel, const Layout& src, const Layout& dst) {
  if (src.channels() != dst.channels())
    throw ValueError(cat(kernel, ": image has ", counted(src.channels(), "channel"), ", out has ", dst.channels(),
                         "; allowed: the same number. Make out with ", counted(src.channels(), "channel"), "."));
}

void check_channels_or_gray(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst, std::string_view what) {
  check_unary(kernel, k, src, dst);
  if (src.channels() != dst.channels() && dst.channels() != 1)
    throw ValueError(cat(kernel, ": image has ", counted(src.channels(), "channel"), ", out has ", dst.channels(), "; allowed: the same number, or 1 for ", what,
                         " of the gray picture. Make out with ", src.channels(), " channels or 1."));
}

void check_source(std::string_view kernel, const Layout& src, const Region& clip) {
  if (src.is_empty()) throw ValueError(cat(kernel, ": image is ", src.describe(), "; allowed: at least one pixel and one channel."));
  if (clip.origin.z != 0 || clip.size.depth != Region::unlimited)
    throw ValueError(cat(kernel, ": clip_rect_source selects images by z; allowed: x and y. Slice the batch instead."));
  const Window w = clip_window(clip, src);
  if (w.width <= 0 || w.height <= 0)
    throw ValueError(cat(kernel, ": clip_rect_source begins at (", clip.origin.x, ", ", clip.origin.y, ") and holds no pixel of image (", src.width(), " x ",
                         src.height(), "); allowed: a rectangle that meets it. Pass (x, y, width, height)."));
}

void check_found(std::string_view kernel, const Layout& src, std::string_view what) {
  constexpr std::int64_t largest = 65536;
  if (src.width() > largest || src.height() > largest)
    throw ValueError(cat(kernel, ": image is ", src.width(), " x ", src.height(), " pixels; allowed: ", largest, " a side, as ", what, " have 16 bits. Cut it into tiles."));
}

}  // namespace mpskit::image
