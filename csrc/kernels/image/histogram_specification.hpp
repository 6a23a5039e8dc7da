#pragma once
#include "kernels/common/histogram_kernel.hpp"

namespace mpskit::image {

struct HistogramSpecification : HistogramTransform {
  bool operator==(const HistogramSpecification&) const = default;

  static constexpr KernelInfo info{
      "HistogramSpecification", "Changes the values of every channel so that their histogram becomes about a given one.",
      "MPSImageHistogramSpecification, in MPSImageHistogram.h",
      "A value of bin b becomes that of the first bin j with D[j] / D[last] >= S[b] / S[last], where S and D count what the source's and the desired histogram "
      "hold up to a bin, that bin included, compared exactly; bin j has the value min_pixel_value + (max_pixel_value - min_pixel_value) * j / (bins - 1). "
      "Apple does not print its formula. Bins are those of Histogram. Without a source_histogram the picture's own is counted, all of its values. One histogram "
      "for a batch serves every picture of it. Alpha passes through unless histogram_for_alpha, and so does a channel of which a histogram is empty. NaN stays NaN."};
  static constexpr std::array operands{
      source_image,
      histogram_input("desired_histogram", "Counts that the result is to have, in proportion, uint32, shape (channels, bins) or (images, channels, bins).", Count::one),
      histogram_input("source_histogram", "Counts of the source, in the same form; of the picture itself when omitted.", Count::optional),
      destination_image};

  void validate() const { image::validate(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_transform(info.name, *this, in[0], out[0]);
    check_histogram(info.name, "desired_histogram", *this, in[0], in[1], true);
    if (in.size() > 2) check_histogram(info.name, "source_histogram", *this, in[0], in[2], true);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, HistogramSpecification)
