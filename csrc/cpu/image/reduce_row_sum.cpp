#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceRowSumPlan final : public RowReducePlan {
 public:
  ReduceRowSumPlan(const image::ReduceRowSum& k, const Call& call) : RowReducePlan(k, call, folding_of<Total>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceRowSum, ReduceRowSumPlan)
