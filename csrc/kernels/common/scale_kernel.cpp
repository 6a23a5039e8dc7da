#include "kernels/common/scale_kernel.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

Layouts ScaleKernel::infer(std::span<const Layout> in, const OutputHints& hints) const {
  const Layout out = like_source(in[0], hints);
  return {Layout::image(out.dtype, out.images(), height.value_or(out.height()), width.value_or(out.width()), out.channels())};
}

void check_scale(std::string_view kernel, const ScaleKernel& k) {
  if (k.edge_mode != EdgeMode::clamp)
    throw ValueError(cat(kernel, ": edge_mode is 'zero'; allowed: 'clamp'. Apple does not say what its scale kernels read "
                                 "beyond the border with 'zero'. Pad the picture with zeros and scale that."));
  if (k.offset != Offset{})
    throw ValueError(cat(kernel, ": offset is (", k.offset.x, ", ", k.offset.y, "); allowed: (0, 0). Move the picture with the "
                                 "translation of scale_transform."));
  if (!k.scale_transform) return;
  for (const auto& [axis, scale] : {std::pair{"scale_x", k.scale_transform->scale_x}, std::pair{"scale_y", k.scale_transform->scale_y}})
    if (!(scale >= least_scale))
      throw ValueError(cat(kernel, ": scale_transform has ", axis, " ", scale, "; allowed: ", axis, " >= 1/4096. Scale in two "
                                   "steps, or pass None to fit the source to the output."));
}

void check_scale(std::string_view kernel, const ScaleKernel& k, const Layout& src, const Layout& dst) {
  check_unary(kernel, k, src, dst);
  check_same_channels(kernel, src, dst);
  if (k.width.value_or(dst.width()) != dst.width() || k.height.value_or(dst.height()) != dst.height())
    throw ValueError(cat(kernel, ": out is ", dst.width(), " x ", dst.height(), ", the kernel says ",
                         k.width ? cat("width ", *k.width) : std::string(), k.width && k.height ? ", " : "",
                         k.height ? cat("height ", *k.height) : std::string(),
                         "; allowed: the same size. Omit width and height: out decides the size."));
}

}  // namespace mpskit::image
