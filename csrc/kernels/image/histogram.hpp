#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/histogram_kernel.hpp"

namespace mpskit::image {

struct Histogram : HistogramInfo, AnyKernel {
  Region clip_rect_source;
  bool zero_histogram = true;
  std::array<float, 4> min_pixel_threshold_value{0, 0, 0, 0};
  bool operator==(const Histogram&) const = default;

  static constexpr KernelInfo info{
      "Histogram", "How many pixels have which value, for every channel.", "MPSImageHistogram, in MPSImageHistogram.h",
      "The bin of a value v is the whole part of (v - min_pixel_value) / (max_pixel_value - min_pixel_value) * bins, cut to the first and the last; "
      "Apple does not say where its bins end, but 256 bins over 0..1 are the codes of uint8 either way. Values below min_pixel_threshold_value, before they "
      "are cut, are not counted: with its default of 0 no negative value is. NaN is not counted. uint8 and uint16 count as value / 255 and "
      "value / 65535. Of four channels the last one, alpha, is left out unless histogram_for_alpha. Bins are found in float64 on the CPU engine. "
      "Counts wrap at 2**32."};
  static constexpr auto fields = std::tuple_cat(
      info_fields,
      std::tuple{Field{"clip_rect_source", &Histogram::clip_rect_source, Range{}, "px",
                       "Part of the source that is counted, (x, y, width, height), cut to the picture; None is all of it."},
                 Field{"zero_histogram", &Histogram::zero_histogram, Range{}, "", "False adds to the counts in out, which must be given."},
                 Field{"min_pixel_threshold_value", &Histogram::min_pixel_threshold_value, Range{}, "", "The lowest value of each channel that is counted."}},
      options_field);
  static constexpr std::array operands{
      source_image, OperandSpec{"out", Role::output, Kind::matrix, DType::u32,
                                "Where the counts go; made when omitted, shape (channels, bins) or (images, channels, bins)."}};
  static constexpr auto tolerances = histogram_tolerances;

  void validate() const { image::validate(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    if (!zero_histogram)
      throw ValueError(cat(info.name, ": zero_histogram is False and out is missing; allowed: an out to add to, or zero_histogram=True. Pass out=, the counts so far."));
    return {histogram_of(info.name, *this, in[0], hints)};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_counted(info.name, in[0], clip_rect_source);
    check_histogram(info.name, "out", *this, in[0], out[0], false);
  }
  bool reads_outputs(std::span<const Layout>) const { return !zero_histogram; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Histogram)
