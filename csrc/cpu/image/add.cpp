#include "cpu/image/arithmetic.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct Addition {
  static constexpr bool is_sum = true;
  static MPSKIT_INLINE Vec<float> of(Vec<float> scaled, Vec<float> b, Vec<float> factor) { return multiply_add(b, factor, scaled); }
  template <class P>
    requires(std::is_integral_v<P>)
  static MPSKIT_INLINE Vec<P> codes(Vec<P> a, Vec<P> b) {
    const Vec<P> sum = a + b;
    return sum | (Vec<P>)(sum < a);  // all ones where it ran over
  }
};
using AddPlan = ArithmeticPlan<Addition>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Add, AddPlan)
