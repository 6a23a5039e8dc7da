#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class StatisticsMeanPlan final : public StatisticsPlan<1> {
 public:
  StatisticsMeanPlan(const image::StatisticsMean& k, const Call& call)
      : StatisticsPlan(k, call, {folding_of<Total>(call.inputs[0].dtype)}, true) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::StatisticsMean, StatisticsMeanPlan)
