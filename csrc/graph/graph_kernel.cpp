#include "graph/graph_kernel.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "graph/program.hpp"

namespace mpskit::graph {
namespace {

constexpr std::size_t met_kept = 16;
constexpr KernelInfo info{"Graph", "A network of kernels.", "MPSNNGraph, in MPSNNGraph.h", ""};

OperandSpec operand(const Image& image, Role role) {
  return {image.name, role, Kind::image, image_dtypes, role == Role::input ? "An input of the network." : "A result of the network."};
}

}  // namespace

const KernelType& GraphKernel::shared_type() {
  static const KernelType type{"graph", info, {}, {}};
  return type;
}

GraphKernel::GraphKernel(Network network) : network_(std::move(network)), type_(shared_type()) {
  validate(network_);
  for (const Index i : network_.inputs) operands_.push_back(operand(network_.images[i], Role::input));
  for (const Index o : network_.outputs) operands_.push_back(operand(network_.images[o], Role::output));
  type_.operands = operands_;
  type_.shared = &shared_type();
}

template <class P>
const GraphKernel::Met* GraphKernel::recall(P&& fits) const {
  for (std::size_t i = met_.size(); i-- > 0;) {
    if (!fits(met_[i])) continue;
    std::rotate(met_.begin() + static_cast<std::ptrdiff_t>(i), met_.begin() + static_cast<std::ptrdiff_t>(i) + 1, met_.end());
    return &met_.back();
  }
  return nullptr;
}
Layouts GraphKernel::last_inputs() const {
  std::lock_guard lock(mutex_);
  for (auto m = met_.rbegin(); m != met_.rend(); ++m)
    if (m->is_checked) return m->inputs;
  return {};
}

Layouts GraphKernel::infer(std::span<const Layout> inputs, const OutputHints& hints) const {
  if (hints.channels) throw TypeError("Graph: channels is given; allowed: out or dtype. The network decides the channels of its results.");
  {
    std::lock_guard lock(mutex_);
    if (const Met* m = recall([&](const Met& e) { return !e.is_checked && e.dtype == hints.dtype && std::ranges::equal(e.inputs, inputs); })) return m->outputs;
  }
  const Layouts layouts = graph::infer(network_, inputs, hints.dtype);
  Layouts outputs;
  for (const Index o : network_.outputs) outputs.push_back(layouts[o].packed());
  remember({{inputs.begin(), inputs.end()}, outputs, hints.dtype, false});
  return outputs;
}

void GraphKernel::check(std::span<const Layout> inputs, std::span<const Layout> outputs) const {
  {
    std::lock_guard lock(mutex_);
    if (recall([&](const Met& e) { return e.is_checked && std::ranges::equal(e.inputs, inputs) && std::ranges::equal(e.outputs, outputs); })) return;
  }
  require_fit(network_, graph::infer(network_, inputs), outputs);
  remember({{inputs.begin(), inputs.end()}, {outputs.begin(), outputs.end()}, {}, true});
}

void GraphKernel::remember(Met met) const {
  std::lock_guard lock(mutex_);
  if (met_.size() >= met_kept) met_.erase(met_.begin());
  met_.push_back(std::move(met));
}

}  // namespace mpskit::graph
