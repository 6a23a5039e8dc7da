#include "cpu/image/threshold.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ThresholdTruncatePlan final : public ThresholdPlan<Choice::number, Choice::pixel> {
 public:
  ThresholdTruncatePlan(const image::ThresholdTruncate& k, const Call& call) : ThresholdPlan(k, k.threshold_value, 0, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ThresholdTruncate, ThresholdTruncatePlan)
