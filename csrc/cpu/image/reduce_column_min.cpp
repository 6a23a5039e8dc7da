#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceColumnMinPlan final : public ColumnReducePlan {
 public:
  ReduceColumnMinPlan(const image::ReduceColumnMin& k, const Call& call) : ColumnReducePlan(k, call, folding_of<Least>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceColumnMin, ReduceColumnMinPlan)
