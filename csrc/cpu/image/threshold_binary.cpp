#include "cpu/image/threshold.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ThresholdBinaryPlan final : public ThresholdPlan<Choice::number, Choice::number> {
 public:
  ThresholdBinaryPlan(const image::ThresholdBinary& k, const Call& call) : ThresholdPlan(k, k.maximum_value, 0, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ThresholdBinary, ThresholdBinaryPlan)
