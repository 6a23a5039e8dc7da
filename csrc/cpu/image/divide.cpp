#include "cpu/image/arithmetic.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct Quotient {
  static constexpr bool is_sum = false;
  static MPSKIT_INLINE Vec<float> of(Vec<float> scaled, Vec<float> b, Vec<float> factor) { return scaled / (b * factor); }
};
using DividePlan = ArithmeticPlan<Quotient>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Divide, DividePlan)
