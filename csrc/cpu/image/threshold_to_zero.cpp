#include "cpu/image/threshold.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ThresholdToZeroPlan final : public ThresholdPlan<Choice::pixel, Choice::number> {
 public:
  ThresholdToZeroPlan(const image::ThresholdToZero& k, const Call& call) : ThresholdPlan(k, 0, 0, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ThresholdToZero, ThresholdToZeroPlan)
