#include "cpu/image/reduce.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class ReduceColumnMeanPlan final : public ColumnReducePlan {
 public:
  ReduceColumnMeanPlan(const image::ReduceColumnMean& k, const Call& call) : ColumnReducePlan(k, call, folding_of<Total>(call.inputs[0].dtype), true) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::ReduceColumnMean, ReduceColumnMeanPlan)
