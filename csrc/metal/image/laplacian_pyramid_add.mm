#include "kernels/image/laplacian_pyramid_add.hpp"

#include "metal/image/pyramid.hpp"

namespace mpskit::metal {
namespace {

using Plan = LaplacianPyramidPlan<MPSImageLaplacianPyramidAdd, image::LaplacianPyramidAdd>;

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::LaplacianPyramidAdd, Plan)
