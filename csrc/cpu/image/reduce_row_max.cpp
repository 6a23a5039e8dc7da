#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceRowMaxPlan final : public RowReducePlan {
 public:
  ReduceRowMaxPlan(const image::ReduceRowMax& k, const Call& call) : RowReducePlan(k, call, folding_of<Greatest>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceRowMax, ReduceRowMaxPlan)
