#include "kernels/image/ed_lines.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

Layouts EDLines::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.dtype)
    throw TypeError(cat(info.name, ": dtype is ", name_of(*hints.dtype), "; allowed: none, endpoints are uint16 and counts uint32. Leave it out."));
  if (hints.channels) throw ValueError(cat(info.name, ": channels is ", *hints.channels, "; allowed: none, segments have no channels. Leave it out."));
  const Layout& src = in[0];
  return {Layout::matrix(DType::u16, max_lines, 4, src.images()), Layout::vector(DType::u32, src.images()), src.packed()};
}

void EDLines::check(std::span<const Layout> in, std::span<const Layout> out) const {
  const Layout& src = in[0];
  if (src.is_empty()) throw ValueError(cat(info.name, ": image is ", src.describe(), "; allowed: at least one pixel."));
  if (src.channels() != 1) throw ValueError(cat(info.name, ": image has ", src.channels(), " channels; allowed: 1. Pass one of them, or a gray picture."));
  constexpr std::int64_t largest = 65536;
  if (src.width() > largest || src.height() > largest)
    throw ValueError(cat(info.name, ": image is ", src.width(), " x ", src.height(), " pixels; allowed: ", largest, " a side, as ends have 16 bits. Cut it into tiles."));
  const Region& r = clip_rect_source;
  if (r.origin.z != 0 || r.size.depth != Region::unlimited)
    throw ValueError(cat(info.name, ": clip_rect_source selects images by z; allowed: x and y. Slice the batch instead."));
  const Window s = clip_window(r, src);
  if (s.width <= 0 || s.height <= 0)
    throw ValueError(cat(info.name, ": clip_rect_source begins at (", r.origin.x, ", ", r.origin.y, ") and holds no pixel of image (", src.width(), " x ", src.height(),
                         "); allowed: a rectangle that meets it. Pass (x, y, width, height)."));
  const Layouts wanted = infer(in, {});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].extent != wanted[i].extent)
      throw ValueError(cat(info.name, ": ", operands[1 + i].name, " is ", out[i].describe(), "; allowed: ", wanted[i].describe(), ". Make it of that shape, or omit out."));
}

}  // namespace mpskit::image
