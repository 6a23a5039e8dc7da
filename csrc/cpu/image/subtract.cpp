#include "cpu/image/arithmetic.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct Difference {
  static constexpr bool is_sum = true;
  static MPSKIT_INLINE Vec<float> of(Vec<float> scaled, Vec<float> b, Vec<float> factor) { return multiply_add(b, -factor, scaled); }
  template <class P>
    requires(std::is_integral_v<P>)
  static MPSKIT_INLINE Vec<P> codes(Vec<P> a, Vec<P> b) {
    return (a - b) & (Vec<P>)(a > b);
  }
};
using SubtractPlan = ArithmeticPlan<Difference>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Subtract, SubtractPlan)
