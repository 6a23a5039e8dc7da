#include "cpu/image/threshold.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ThresholdToZeroInversePlan final : public ThresholdPlan<Choice::number, Choice::pixel> {
 public:
  ThresholdToZeroInversePlan(const image::ThresholdToZeroInverse& k, const Call& call) : ThresholdPlan(k, 0, 0, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ThresholdToZeroInverse, ThresholdToZeroInversePlan)
