#include "cpu/image/stencil_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Weights that are a column times a row are taken as two passes: width + height products instead of width * height.
std::vector<StencilPass> passes_of(const image::WindowValues& w, std::int64_t channels) {
  if (w.width > 1 && w.height > 1)
    if (auto product = image::product_of(w))
      return {{{1, w.height, channels}, std::move(product->down)}, {{w.width, 1, channels}, std::move(product->across)}};
  return {{{w.width, w.height, channels}, {w.values.begin(), w.values.end()}}};
}

class WindowConvolutionPlan final : public StencilPlan {
 public:
  WindowConvolutionPlan(const image::Convolution& k, const Call& call) : StencilPlan(k, passes_of(k.window(), call.inputs[0].channels()), 1, k.bias, call) {}
};

}  // namespace

std::unique_ptr<CpuPlan> stencil_plan(const image::UnaryKernel& k, std::vector<StencilWeights> passes, float factor, const Call& call) {
  std::vector<StencilPass> all;
  for (StencilWeights& w : passes) all.push_back({{w.width, w.height, call.inputs[0].channels()}, std::move(w.values)});
  return std::make_unique<StencilPlan>(k, std::move(all), factor, 0.0f, call);
}

}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Convolution, WindowConvolutionPlan)
