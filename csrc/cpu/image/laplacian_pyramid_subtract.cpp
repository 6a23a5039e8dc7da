#include "cpu/image/laplacian_pyramid.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using LaplacianPyramidSubtractPlan = LaplacianPyramidPlan<image::LaplacianPyramidSubtract, false>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::LaplacianPyramidSubtract, LaplacianPyramidSubtractPlan)
