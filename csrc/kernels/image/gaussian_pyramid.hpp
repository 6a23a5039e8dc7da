#pragma once
#include "kernels/common/pyramid_kernel.hpp"

namespace mpskit::image {

struct GaussianPyramid : PyramidKernel {
  std::int64_t levels = 0;
  bool operator==(const GaussianPyramid&) const = default;

  static constexpr KernelInfo info{
      "GaussianPyramid", "Halve a picture again and again, weighing the pixels around each one that is kept.", "MPSImageGaussianPyramid, in MPSImageConvolution.h",
      "The result is a tuple of levels. The first is the picture itself; level n + 1 is the weighted sum around every other pixel of every other row of level n, "
      "the first ones included, in the format that level n is stored in: out[n + 1][y, x] = the sum of weights[j, i] * out[n][2 * y + j - kernel_height // 2, "
      "2 * x + i - kernel_width // 2]. Level n has max(1, height >> n) rows, columns likewise: of five columns two are kept, and the last one counts as a neighbour only. "
      "Weights are not turned around and nothing is normalised. A call with out=(image, ...) leaves the picture where it is instead of copying it. Apple's kernel "
      "takes zeros beyond the border unless told otherwise, this one the edge pixel. NaN and infinity spread as far as the window."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"levels", &GaussianPyramid::levels, Range{.min = 0, .max = 32}, "levels",
                       "How many, the picture included; 0 is as many as out has, without out all down to a single pixel."}},
      pyramid_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{
      source_image,
      OperandSpec{"out", Role::output, Kind::image, image_dtypes, "Where the levels go, a tuple, the largest first; made when omitted.", Count::many}};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value, each level from the stored one before"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value, each level from the stored one before; weights whose magnitudes add to more than 64, S, give S / 64 times that"},
      Tolerance{DType::f16, 2e-6, 1e-3, "one rounding to half precision, each level from the stored one before"},
      Tolerance{DType::f32, 2e-6, 1e-6, "float32 sums, each level from the stored one before; absolute for values and weights whose magnitudes add to 1"}};

  void validate() const { check_pyramid(info.name, *this); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const Layout first = like_source(in[0], hints);
    Layouts out{first};
    for (std::size_t i = 1; i < (levels ? static_cast<std::size_t>(levels) : most_levels(first)); ++i)
      out.push_back(Layout::image(first.dtype, first.images(), pyramid_side(first.height(), i), pyramid_side(first.width(), i), first.channels()));
    return out;
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
  bool works_in_place() const { return true; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, GaussianPyramid)
