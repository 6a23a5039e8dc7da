#include "cpu/image/running_sums.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class IntegralOfSquaresPlan final : public RunningSumsPlan<true> {
 public:
  IntegralOfSquaresPlan(const image::IntegralOfSquares& k, const Call& call) : RunningSumsPlan(k, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::IntegralOfSquares, IntegralOfSquaresPlan)
