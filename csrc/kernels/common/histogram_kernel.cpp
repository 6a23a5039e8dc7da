#include "kernels/common/histogram_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {
namespace {

void require_channels(std::string_view kernel, const Layout& src) {
  if (src.channels() > 4)
    throw ValueError(cat(kernel, ": image has ", counted(src.channels(), "channel"), "; allowed: 1 to 4, as there are four limits. Pass four channels at a time."));
}

}  // namespace

void validate(std::string_view kernel, const HistogramInfo& k) {
  if ((k.number_of_histogram_entries & (k.number_of_histogram_entries - 1)) != 0)
    throw ValueError(cat(kernel, ": number_of_histogram_entries is ", k.number_of_histogram_entries, "; allowed: a power of two from 256 to ",
                         HistogramInfo::most_entries, ". Pass 256, and add neighbours for wider bins."));
  for (std::size_t c = 0; c < 4; ++c)
    if (!(k.min_pixel_value[c] < k.max_pixel_value[c]))
      throw ValueError(cat(kernel, ": min_pixel_value of channel ", c, " is ", k.min_pixel_value[c], ", max_pixel_value ", k.max_pixel_value[c],
                           "; allowed: a maximum above the minimum. Pass four of each."));
}

void check_counted(std::string_view kernel, const Layout& src, const Region& clip_rect_source) {
  require_channels(kernel, src);
  check_source(kernel, src, clip_rect_source);
}

Layout histogram_of(std::string_view kernel, const HistogramInfo& k, const Layout& src, const OutputHints& hints) {
  if (hints.channels)
    throw ValueError(cat(kernel, ": channels is ", *hints.channels, "; allowed: none, a histogram has a row for each channel of image. Leave it out."));
  if (hints.dtype && *hints.dtype != DType::u32)
    throw TypeError(cat(kernel, ": dtype is ", name_of(*hints.dtype), "; allowed: uint32. Convert the counts with astype()."));
  return Layout::matrix(DType::u32, k.counted(src.channels()), k.number_of_histogram_entries, src.images());
}

void check_histogram(std::string_view kernel, std::string_view operand, const HistogramInfo& k, const Layout& src, const Layout& h, bool or_one) {
  const std::int64_t rows = k.counted(src.channels()), bins = k.number_of_histogram_entries;
  if (h.rows() == rows && h.columns() == bins && (h.matrices() == src.images() || (or_one && h.matrices() == 1))) return;
  throw ValueError(cat(kernel, ": ", operand, " is ", h.describe(), "; allowed: (", rows, ", ", bins, ")", or_one && src.images() > 1 ? " or" : src.images() > 1 ? " for each image," : "",
                       src.images() > 1 ? cat(" (", src.images(), ", ", rows, ", ", bins, ")") : std::string(), ", a row of ", bins, " bins for each channel",
                       rows < src.channels() ? " but alpha" : "", ". Pass number_of_histogram_entries or histogram_for_alpha that fit it."));
}

void check_transform(std::string_view kernel, const HistogramTransform& k, const Layout& src, const Layout& dst) {
  require_channels(kernel, src);
  const std::array<Layout, 1> in{src}, out{dst};
  check_channelwise(kernel, k, in, out);
}

}  // namespace mpskit::image
