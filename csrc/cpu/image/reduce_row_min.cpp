#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceRowMinPlan final : public RowReducePlan {
 public:
  ReduceRowMinPlan(const image::ReduceRowMin& k, const Call& call) : RowReducePlan(k, call, folding_of<Least>(call.inputs[0].dtype), false) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceRowMin, ReduceRowMinPlan)
