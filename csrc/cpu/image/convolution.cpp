#include "cpu/image/stencil_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Weights that are a column times a row, to a rounding of each, are taken as two passes: width + height products instead of
// width * height.
std::vector<StencilPlan::Pass> passes_of(const image::WindowValues& w, std::int64_t channels) {
  const std::size_t most = static_cast<std::size_t>(std::max_element(w.values.begin(), w.values.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }) - w.values.begin());
  const std::int64_t row = static_cast<std::int64_t>(most) / w.width, column = static_cast<std::int64_t>(most) % w.width;
  const double peak = static_cast<double>(w.at(row, column));
  bool is_product = w.width > 1 && w.height > 1 && peak != 0;
  for (std::int64_t j = 0; is_product && j < w.height; ++j)
    for (std::int64_t i = 0; is_product && i < w.width; ++i) {
      const double wanted = static_cast<double>(w.at(j, i)), product = static_cast<double>(w.at(j, column)) * static_cast<double>(w.at(row, i)) / peak;
      is_product = std::abs(wanted - product) <= 0x1p-22 * std::abs(wanted);
    }
  if (!is_product) return {{{w.width, w.height, channels}, {w.values.begin(), w.values.end()}}};
  StencilPlan::Pass down{{1, w.height, channels}, {}}, across{{w.width, 1, channels}, {}};
  // The column keeps its size, the row's largest weight is 1: neither overflows.
  for (std::int64_t j = 0; j < w.height; ++j) down.weights.push_back(w.at(j, column));
  for (std::int64_t i = 0; i < w.width; ++i) across.weights.push_back(static_cast<float>(static_cast<double>(w.at(row, i)) / peak));
  return {down, across};
}

class WindowConvolutionPlan final : public StencilPlan {
 public:
  WindowConvolutionPlan(const image::Convolution& k, const Call& call) : StencilPlan(k, passes_of(k.window(), call.inputs[0].channels()), k.bias, call) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Convolution, WindowConvolutionPlan)
