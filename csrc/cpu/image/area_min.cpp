#include "cpu/image/morphology.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class AreaMinPlan final : public AreaPlan<Lower> {
 public:
  AreaMinPlan(const image::AreaMin& k, const Call& call) : AreaPlan(k, k.kernel_width, k.kernel_height, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::AreaMin, AreaMinPlan)
