#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceRowMeanPlan final : public RowReducePlan {
 public:
  ReduceRowMeanPlan(const image::ReduceRowMean& k, const Call& call) : RowReducePlan(k, call, folding_of<Total>(call.inputs[0].dtype), true) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceRowMean, ReduceRowMeanPlan)
