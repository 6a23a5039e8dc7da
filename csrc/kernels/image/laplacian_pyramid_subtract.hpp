#pragma once
#include "kernels/common/pyramid_kernel.hpp"

namespace mpskit::image {

struct LaplacianPyramidSubtract : LaplacianPyramidKernel {
  bool operator==(const LaplacianPyramidSubtract&) const = default;

  static constexpr KernelInfo info{
      "LaplacianPyramidSubtract", "Take from each level of a Gaussian pyramid what the next one tells of it.", "MPSImageLaplacianPyramidSubtract, in MPSImageConvolution.h",
      "Level n of the result is laplacian_bias + laplacian_scale * (pyramid[n] - expand(pyramid[n + 1])); the last one is that of the pyramid, so that LaplacianPyramidAdd can "
      "begin from it. expand puts the small level's pixels into the even rows and columns of a picture of zeros as large as level n and weighs around each pixel, with edge_mode at "
      "that picture's border; where an odd side needs a pixel that the small level lacks, edge_mode says it too. The weights are taken as they are, as Apple states no factor. Only one pixel of four is not "
      "zero, so those of center_weight, which add to 1, expand to a quarter; for the pyramid of Burt and Adelson pass 4 times them as weights. Outputs of uint8 and uint16 clamp: "
      "choose laplacian_bias=0.5, laplacian_scale=0.5, or float32."};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value; weights whose magnitudes add to more than 64, S, give S / 64 times that"},
      Tolerance{DType::f16, 2e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 2e-6, 1e-6, "float32 sums; absolute for values and weights whose magnitudes add to 1"}};

  void validate() const { check_laplacian_pyramid(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_laplacian_pyramid(info.name, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, LaplacianPyramidSubtract)
