#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/histogram_kernel.hpp"

namespace mpskit::image {

struct NormalizedHistogram : HistogramInfo, AnyKernel {
  Region clip_rect_source;
  bool zero_histogram = true;
  bool operator==(const NormalizedHistogram&) const = default;

  static constexpr KernelInfo info{
      "NormalizedHistogram", "How many pixels have which value, in bins over the range of the values that there are, and that range.",
      "MPSImageNormalizedHistogram, in MPSImageHistogram.h",
      "The bins of a channel go from the larger of min_pixel_value and the least value found to the smaller of max_pixel_value and the greatest found; "
      "where that is no range, as in a flat picture, they are one wide and begin at the first of the two. Within them bins are those of Histogram, and every "
      "value is counted. The result is a pair: the counts, and the least and the greatest value found of every channel, alpha included, in two pixels "
      "as StatisticsMinAndMax writes them. Counts are numbers of pixels, not fractions. NaN takes no part; a channel of nothing else has NaN for its "
      "range. Apple says neither how the range is written nor what a flat picture gives."};
  static constexpr auto fields = std::tuple_cat(
      info_fields,
      std::tuple{Field{"clip_rect_source", &NormalizedHistogram::clip_rect_source, Range{}, "px",
                       "Part of the source that is counted, (x, y, width, height), cut to the picture; None is all of it."},
                 Field{"zero_histogram", &NormalizedHistogram::zero_histogram, Range{}, "", "False adds to the counts in out, which must be given."}},
      options_field);
  static constexpr std::array operands{
      source_image,
      OperandSpec{"out", Role::output, Kind::matrix, DType::u32, "The counts, shape (channels, bins) or (images, channels, bins)."},
      OperandSpec{"minmax", Role::output, Kind::image, DType::f32, "The least and the greatest value, shape (1, 2, channels) or (images, 1, 2, channels)."}};
  static constexpr std::array tolerances{histogram_tolerances[0], Tolerance{DType::f32, 0, 1e-7, "the value itself, a code divided once"}};

  void validate() const { image::validate(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    if (!zero_histogram)
      throw ValueError(cat(info.name, ": zero_histogram is False and out is missing; allowed: an out to add to, or zero_histogram=True. Pass out=(counts, minmax)."));
    return {histogram_of(info.name, *this, in[0], hints), Layout::image(DType::f32, in[0].images(), 1, 2, in[0].channels())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_counted(info.name, in[0], clip_rect_source);
    check_histogram(info.name, "out", *this, in[0], out[0], false);
    const Layout wanted = Layout::image(DType::f32, in[0].images(), 1, 2, in[0].channels());
    if (out[1].extent != wanted.extent)
      throw ValueError(cat(info.name, ": minmax is ", out[1].describe(), "; allowed: ", wanted.describe(), ", the least and the greatest value of every channel. Make it so, or omit out."));
  }
  bool reads_outputs(std::span<const Layout>) const { return !zero_histogram; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, NormalizedHistogram)
