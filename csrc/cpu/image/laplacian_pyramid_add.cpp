#include "cpu/image/laplacian_pyramid.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using LaplacianPyramidAddPlan = LaplacianPyramidPlan<image::LaplacianPyramidAdd, true>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::LaplacianPyramidAdd, LaplacianPyramidAddPlan)
