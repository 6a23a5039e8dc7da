#include "cpu/image/window_mean.inl"

// A tent is a box of a box. Both run over the source with its margins, so the border is that of one tent.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class TentPlan final : public WindowMeanPlan {
 public:
  TentPlan(const image::Tent& k, const Call& call) : WindowMeanPlan(k, {(k.kernel_width + 1) / 2, 2}, {(k.kernel_height + 1) / 2, 2}, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Tent, TentPlan)
