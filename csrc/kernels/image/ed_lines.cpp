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
  if (src.channels() != 1) throw ValueError(cat(info.name, ": image has ", counted(src.channels(), "channel"), "; allowed: 1. Pass one of them, or a gray picture."));
  check_found(info.name, src, "ends");
  check_source(info.name, src, clip_rect_source);
  const Layouts wanted = infer(in, {});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].extent != wanted[i].extent)
      throw ValueError(cat(info.name, ": ", operands[1 + i].name, " is ", out[i].describe(), "; allowed: ", wanted[i].describe(), ". Make it of that shape, or omit out."));
}

}  // namespace mpskit::image
