#include "kernels/common/arithmetic_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {
namespace {

std::string text_of(const Size& s) { return cat("(", s.width, ", ", s.height, ", ", s.depth, ")"); }

void check_stride(std::string_view kernel, std::string_view name, const Size& stride) {
  for (const std::int64_t step : {stride.width, stride.height, stride.depth})
    if (step != 0 && step != 1)
      throw ValueError(cat(kernel, ": ", name, " is ", text_of(stride), "; allowed: 1, or 0 to repeat, in each direction. To leave pixels out, slice the array."));
}

}  // namespace

void check_arithmetic(std::string_view kernel, const ArithmeticKernel& k) {
  check_stride(kernel, "primary_stride_in_pixels", k.primary_stride_in_pixels);
  check_stride(kernel, "secondary_stride_in_pixels", k.secondary_stride_in_pixels);
  if (k.minimum_value > k.maximum_value)
    throw ValueError(cat(kernel, ": minimum_value is ", k.minimum_value, ", maximum_value is ", k.maximum_value, "; allowed: minimum_value <= maximum_value. Swap them."));
}

Layout arithmetic_result(std::string_view kernel, const ArithmeticKernel& k, std::span<const Layout> in, const OutputHints& hints) {
  const Layout &primary = in[0], &secondary = in[1];
  const auto side = [&](std::string_view name, std::int64_t a, std::int64_t a_stride, std::int64_t b, std::int64_t b_stride) {
    if (a_stride == 1 && b_stride == 1 && a != b)
      throw ValueError(cat(kernel, ": primary is ", primary.describe(), ", secondary is ", secondary.describe(), "; allowed without out: the same ", name,
                           ". Pass secondary_stride_in_pixels with a 0 to repeat secondary, or an out of the size that is meant."));
    return a_stride == 1 ? a : b_stride == 1 ? b : 1;
  };
  const Size &p = k.primary_stride_in_pixels, &s = k.secondary_stride_in_pixels;
  return Layout::image(hints.dtype.value_or(primary.dtype), side("number of images", primary.images(), p.depth, secondary.images(), s.depth),
                       side("height", primary.height(), p.height, secondary.height(), s.height),
                       side("width", primary.width(), p.width, secondary.width(), s.width), hints.channels.value_or(primary.channels()));
}

void check_arithmetic(std::string_view kernel, const ArithmeticKernel& k, std::span<const Layout> in, const Layout& dst) {
  check_binary(kernel, k, in, dst);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string_view name = BinaryKernel::operands[i].name;
    const bool repeats = (i == 0 ? k.primary_stride_in_pixels : k.secondary_stride_in_pixels).depth == 0;
    if (in[i].images() == (repeats ? 1 : dst.images())) continue;
    if (repeats)
      throw ValueError(cat(kernel, ": ", name, " has ", counted(in[i].images(), "image"), "; allowed: 1, as its stride is 0 for images. Slice it, or pass a stride of 1."));
    throw ValueError(cat(kernel, ": ", name, " has ", counted(in[i].images(), "image"), ", out has ", dst.images(),
                         "; allowed: the same number. One image for all takes ", name, "_stride_in_pixels=(1, 1, 0)."));
  }
}

}  // namespace mpskit::image
