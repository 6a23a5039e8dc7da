#include "cpu/image/morphology.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class AreaMaxPlan final : public AreaPlan<Upper> {
 public:
  AreaMaxPlan(const image::AreaMax& k, const Call& call) : AreaPlan(k, k.kernel_width, k.kernel_height, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::AreaMax, AreaMaxPlan)
