#pragma once
#include "kernels/common/pyramid_kernel.hpp"

namespace mpskit::image {

struct LaplacianPyramidAdd : LaplacianPyramidKernel {
  bool operator==(const LaplacianPyramidAdd&) const = default;

  static constexpr KernelInfo info{
      "LaplacianPyramidAdd", "Restore a Gaussian pyramid from what LaplacianPyramidSubtract made of it.", "MPSImageLaplacianPyramidAdd, in MPSImageConvolution.h",
      "From the last level, which is taken as it is, to the first: out[n] = (pyramid[n] - laplacian_bias) / laplacian_scale + expand(out[n + 1]), with expand as in "
      "LaplacianPyramidSubtract and out[n + 1] as it is stored. With the same parameters it undoes that kernel, to the rounding of what was stored. Outputs of uint8 and uint16 clamp."};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value, each level from the stored one above"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value, each level from the stored one above; weights whose magnitudes add to more than 64, S, give S / 64 times that"},
      Tolerance{DType::f16, 2e-6, 1e-3, "one rounding to half precision, each level from the stored one above"},
      Tolerance{DType::f32, 2e-6, 1e-6, "float32 sums, each level from the stored one above; absolute for values and weights whose magnitudes add to 1"}};

  void validate() const { check_laplacian_pyramid(info.name, *this); }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_laplacian_pyramid(info.name, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, LaplacianPyramidAdd)
