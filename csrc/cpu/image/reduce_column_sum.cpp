#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceColumnSumPlan final : public ColumnReducePlan {
 public:
  ReduceColumnSumPlan(const image::ReduceColumnSum& k, const Call& call) : ColumnReducePlan(k, call, folding_of<Total>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceColumnSum, ReduceColumnSumPlan)
