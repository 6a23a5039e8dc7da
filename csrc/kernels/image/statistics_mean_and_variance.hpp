#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct StatisticsMeanAndVariance {
  Region clip_rect_source;
  Region clip_rect;
  bool operator==(const StatisticsMeanAndVariance&) const = default;

  static constexpr KernelInfo info{
      "StatisticsMeanAndVariance", "Mean and variance of every channel.",
      "MPSImageStatisticsMeanAndVariance, in MPSImageStatistics.h",
      "The output has two pixels: the mean and, to its right, the population variance (divided by the number of pixels; Apple "
      "does not say which it takes). uint8 and uint16 count as value / 255 and value / 65535. On the CPU sums of integers are "
      "exact and those of floats are double precision around a pixel's value, so nothing cancels, and the result does not depend "
      "on the number of threads. NaN and infinity of a channel make its results NaN or infinite."};
  static constexpr std::tuple fields{
      Field{"clip_rect_source", &StatisticsMeanAndVariance::clip_rect_source, Range{}, "px",
            "Part of the source that is read, (x, y, width, height), cut to the picture; None is all of it."},
      Field{"clip_rect", &StatisticsMeanAndVariance::clip_rect, Range{}, "px",
            "Its corner is where the mean is written, with room for two pixels; None is (0, 0)."}};
  static constexpr std::array operands{
      source_image,
      OperandSpec{"out", Role::output, Kind::image, image_dtypes,
                  "Where the two pixels go; made when omitted, shape (1, 2), (1, 2, channels) or (images, 1, 2, channels), float32."}};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-7, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-9, 1e-6, "double precision sums, one rounding"}};

  // The part that is read, not empty after check().
  Window source_window(const Layout& src) const { return clip_window(clip_rect_source, src); }

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const DType dtype = hints.dtype.value_or(DType::f32);
    if (dtype != DType::f32 && dtype != DType::f16)
      throw TypeError(cat(info.name, ": dtype is ", name_of(dtype), "; allowed: float32, float16. A mean loses digits in other "
                                     "formats; pass out= of that dtype if it must be so."));
    return {Layout::image(dtype, in[0].images(), 1, 2, hints.channels.value_or(in[0].channels()))};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    UnaryKernel as_unary;
    as_unary.clip_rect = clip_rect;
    check_unary(info.name, as_unary, in[0], out[0]);
    check_same_channels(info.name, in[0], out[0]);
    const Window w = clip_window(clip_rect, out[0]);
    if (w.width < 2)
      throw ValueError(cat(info.name, ": out holds ", w.width, " pixel right of (", w.x, ", ", w.y, "), where clip_rect begins; allowed: "
                                      "at least 2. Make out at least ", w.x + 2, " wide and clip_rect at least 2."));
    if (clip_rect_source.origin.z != 0 || clip_rect_source.size.depth != Region::unlimited)
      throw ValueError(cat(info.name, ": clip_rect_source selects images by z; allowed: x and y. Slice the batch instead."));
    const Window s = source_window(in[0]);
    if (s.width <= 0 || s.height <= 0)
      throw ValueError(cat(info.name, ": clip_rect_source begins at (", clip_rect_source.origin.x, ", ", clip_rect_source.origin.y,
                           ") and holds no pixel of image (", in[0].width(), " x ", in[0].height(),
                           "); allowed: a rectangle that meets it. Pass (x, y, width, height)."));
  }
  bool reads_outputs(std::span<const Layout> out) const { return out[0].width() > 2 || out[0].height() > 1; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, StatisticsMeanAndVariance)
