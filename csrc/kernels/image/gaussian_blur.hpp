#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct GaussianBlur : UnaryKernel {
  float sigma = 1.0f;
  bool exact = false;
  bool operator==(const GaussianBlur&) const = default;

  static constexpr KernelInfo info{
      "GaussianBlur", "Blur every channel with a Gaussian.", "MPSImageGaussianBlur, in MPSImageConvolution.h",
      "The weights are exp(-i*i / (2*sigma*sigma)) for |i| <= ceil(3.7*sigma), divided by their sum. Apple calls its own "
      "kernel, of which it does not tell the radius, approximate, good for about 10 bits; exact=True takes two convolutions with those weights on Metal too. NaN and "
      "infinity spread as far as the filter."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"sigma", &GaussianBlur::sigma, Range{.min = 0, .max = 512}, "px", "Standard deviation; 0 copies."},
                 Field{"exact", &GaussianBlur::exact, Range{}, "", "Ask Metal for the analytic Gaussian instead of Apple's faster approximation. The CPU engine is always exact."}},
      unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-6, 2e-6, "float32 sums of at most 2*ceil(3.7*512)+1 positive weights, twice"}};

  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, GaussianBlur)
