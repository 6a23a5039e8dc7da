#include "cpu/image/arithmetic.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct Product {
  static constexpr bool is_sum = false;
  static MPSKIT_INLINE Vec<float> of(Vec<float> scaled, Vec<float> b, Vec<float> factor) { return scaled * (b * factor); }
  // a * b / 255 to the nearest; there are no ties, as 255 is odd. (n + n / 256 + 1/2) / 256 is n / 255 for all of these n.
  template <class P>
    requires(std::is_same_v<P, std::uint8_t>)
  static MPSKIT_INLINE Vec<P> codes(Vec<P> a, Vec<P> b) {
    using W = Vec<std::uint16_t>;
    auto rounded = [](W n) {
      n += 128;
      return (n + (n >> 8)) >> 8;
    };
    const W x = (W)a, y = (W)b;
    return (Vec<P>)(rounded((x & 255) * (y & 255)) | rounded((x >> 8) * (y >> 8)) << 8);
  }
};
using MultiplyPlan = ArithmeticPlan<Product>;

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Multiply, MultiplyPlan)
