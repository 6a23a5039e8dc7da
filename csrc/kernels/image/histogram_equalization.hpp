#pragma once
#include "kernels/common/histogram_kernel.hpp"

namespace mpskit::image {

struct HistogramEqualization : HistogramTransform {
  bool operator==(const HistogramEqualization&) const = default;

  static constexpr KernelInfo info{
      "HistogramEqualization", "Spreads the values of every channel so that all are about as frequent.", "MPSImageHistogramEqualization, in MPSImageHistogram.h",
      "A value of bin b becomes min_pixel_value + (max_pixel_value - min_pixel_value) * C[b] / C[last], where C[b] counts what the histogram holds in the "
      "bins up to b, b included; Apple does not print its formula. Bins are those of Histogram. The histogram is what encodeTransform takes: without one "
      "the picture's own is counted, all of its values. One for a batch serves every picture of it. Alpha passes through unless histogram_for_alpha, and so "
      "does a channel whose histogram is empty. NaN stays NaN."};
  static constexpr std::array operands{
      source_image,
      histogram_input("histogram", "Counts that the new values follow, uint32, shape (channels, bins) or (images, channels, bins); of the picture itself when omitted.", Count::optional),
      destination_image};

  void validate() const { image::validate(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_transform(info.name, *this, in[0], out[0]);
    if (in.size() > 1) check_histogram(info.name, "histogram", *this, in[0], in[1], true);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, HistogramEqualization)
