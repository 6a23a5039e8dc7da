#include "cpu/image/running_sums.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class IntegralPlan final : public RunningSumsPlan<false> {
 public:
  IntegralPlan(const image::Integral& k, const Call& call) : RunningSumsPlan(k, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Integral, IntegralPlan)
