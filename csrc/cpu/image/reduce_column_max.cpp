#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceColumnMaxPlan final : public ColumnReducePlan {
 public:
  ReduceColumnMaxPlan(const image::ReduceColumnMax& k, const Call& call) : ColumnReducePlan(k, call, folding_of<Greatest>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceColumnMax, ReduceColumnMaxPlan)
