#include "kernels/image/laplacian_pyramid_subtract.hpp"

#include "metal/image/pyramid.hpp"

namespace mpskit::metal {
namespace {

using Plan = LaplacianPyramidPlan<MPSImageLaplacianPyramidSubtract, image::LaplacianPyramidSubtract>;

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::LaplacianPyramidSubtract, Plan)
