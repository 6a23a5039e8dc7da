#include "cpu/image/threshold.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ThresholdBinaryInversePlan final : public ThresholdPlan<Choice::number, Choice::number> {
 public:
  ThresholdBinaryInversePlan(const image::ThresholdBinaryInverse& k, const Call& call) : ThresholdPlan(k, 0, k.maximum_value, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ThresholdBinaryInverse, ThresholdBinaryInversePlan)
