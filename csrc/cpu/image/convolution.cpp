#include "cpu/image/stencil_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Weights that are a column times a row are taken as two passes: width + height products instead of width * height.
std::vector<StencilPlan::Pass> passes_of(const image::WindowValues& w, std::int64_t channels) {
  if (w.width > 1 && w.height > 1)
    if (auto product = image::product_of(w))
      return {{{1, w.height, channels}, std::move(product->down)}, {{w.width, 1, channels}, std::move(product->across)}};
  return {{{w.width, w.height, channels}, {w.values.begin(), w.values.end()}}};
}

class WindowConvolutionPlan final : public StencilPlan {
 public:
  WindowConvolutionPlan(const image::Convolution& k, const Call& call) : StencilPlan(k, passes_of(k.window(), call.inputs[0].channels()), k.bias, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Convolution, WindowConvolutionPlan)
