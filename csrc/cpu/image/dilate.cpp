#include "cpu/image/morphology.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class DilatePlan final : public ProbePlan<true> {
 public:
  DilatePlan(const image::Dilate& k, const Call& call) : ProbePlan(k, k.window(), call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Dilate, DilatePlan)
