#include "kernels/common/region_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

void check_region(std::string_view kernel, const RegionKernel& k, const Layout& src, const Layout& dst, Extent size) {
  check_source(kernel, src, k.clip_rect_source);
  UnaryKernel as_unary;
  as_unary.clip_rect = k.clip_rect;
  check_unary(kernel, as_unary, src, dst);
  check_same_channels(kernel, src, dst);
  const Window w = clip_window(k.clip_rect, dst);
  if (w.width < size.width || w.height < size.height)
    throw ValueError(cat(kernel, ": out holds ", w.width, " x ", w.height, " pixels from (", w.x, ", ", w.y, ") on, where clip_rect begins; allowed: at least ",
                         size.width, " x ", size.height, ". Make out at least ", w.x + size.width, " x ", w.y + size.height, " and clip_rect as large as the result."));
}

void check_reduction(std::string_view kernel, const ReduceKernel& k, const Layout& src, const Layout& dst, Extent size) {
  check_region(kernel, k, src, dst, size);
  if (k.clip_rect.is_everything() && (dst.width() != size.width || dst.height() != size.height))
    throw ValueError(cat(kernel, ": out is ", dst.width(), " x ", dst.height(), ", the result is ", size.width, " x ", size.height,
                         "; allowed: the same size. Pass clip_rect=(0, 0, ", size.width, ", ", size.height, ") to write a part of out."));
}

Layout elements_result(const Layout& src, const OutputHints& hints, Extent size) {
  return Layout::image(hints.dtype.value_or(src.dtype), src.images(), size.height, size.width, hints.channels.value_or(src.channels()));
}

Layout sums_result(std::string_view kernel, const Layout& src, const OutputHints& hints, Extent size) {
  const DType dtype = hints.dtype.value_or(DType::f32);
  if (dtype != DType::f32 && dtype != DType::f16)
    throw TypeError(cat(kernel, ": dtype is ", name_of(dtype), "; allowed: float32, float16. A sum or a mean loses digits in other formats; pass out= of that "
                                "dtype if it must be so."));
  return Layout::image(dtype, src.images(), size.height, size.width, hints.channels.value_or(src.channels()));
}

}  // namespace mpskit::image
