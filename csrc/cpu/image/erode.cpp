#include "cpu/image/morphology.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ErodePlan final : public ProbePlan<false> {
 public:
  ErodePlan(const image::Erode& k, const Call& call) : ProbePlan(k, k.window(), call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Erode, ErodePlan)
