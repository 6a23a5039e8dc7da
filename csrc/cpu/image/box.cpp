#include "cpu/image/window_mean.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class BoxPlan final : public WindowMeanPlan {
 public:
  BoxPlan(const image::Box& k, const Call& call) : WindowMeanPlan(k, {k.kernel_width, 1}, {k.kernel_height, 1}, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Box, BoxPlan)
