#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class StatisticsMinAndMaxPlan final : public StatisticsPlan<2> {
 public:
  StatisticsMinAndMaxPlan(const image::StatisticsMinAndMax& k, const Call& call)
      : StatisticsPlan(k, call, {folding_of<Least>(call.inputs[0].dtype), folding_of<Greatest>(call.inputs[0].dtype)}, false) {
    both_ = visit_pixels(call.inputs[0].dtype, []<class P>(P) { return &fold_lines<BothFolder<P>, P>; });
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::StatisticsMinAndMax, StatisticsMinAndMaxPlan)
