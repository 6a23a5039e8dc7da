#include "core/error.hpp"
#include "core/text.hpp"
#include "graph/ir.hpp"

namespace mpskit::graph {
namespace {

Layout concatenation(std::span<const Layout> sources, DType dtype) {
  std::int64_t channels = 0;
  for (const Layout& s : sources) {
    const Layout& first = sources[0];
    if (s.images() != first.images() || s.height() != first.height() || s.width() != first.width())
      throw ValueError(cat("sources are ", first.describe(), " and ", s.describe(), "; allowed: equal numbers of images, rows and columns. "
                           "Give the nodes before it the same padding and stride."));
    if (s.dtype != dtype)
      throw TypeError(cat("a source is ", name_of(s.dtype), ", the result ", name_of(dtype), "; allowed: one dtype. Give the sources the format of the result."));
    channels += s.channels();
  }
  const Layout& first = sources[0];
  return Layout::image(dtype, first.images(), first.height(), first.width(), channels);
}

Layout infer(const Node& node, std::span<const Layout> sources, DType dtype) {
  if (!node.kernel) return concatenation(sources, dtype);
  const Layouts results = node.kernel->infer(sources, OutputHints{.dtype = dtype, .channels = {}});
  node.kernel->check(sources, results);
  if (node.kernel->reads_outputs(results))
    throw ValueError("its kernel leaves a part of its result alone; allowed: all of it is written. Give it no clip_rect and no channel offset.");
  return results[0];
}

}  // namespace

Layouts infer(const Network& network, std::span<const Layout> inputs, std::optional<DType> dtype) {
  Layouts layouts(network.images.size());
  for (Index i = 0; i < network.inputs.size(); ++i) layouts[network.inputs[i]] = inputs[i];
  std::vector<bool> is_output(network.images.size());
  for (const Index o : network.outputs) is_output[o] = true;
  Layouts sources;
  for (const Node& node : network.nodes) {
    sources.clear();
    for (const Index s : node.sources) sources.push_back(layouts[s]);
    const bool asked = dtype && is_output[node.result] && !network.images[node.result].format;
    const auto where = [&](const Error& e) { return cat("Graph: node ", describe(node), ": ", e.what()); };
    try {
      layouts[node.result] = infer(node, sources, asked ? *dtype : network.format_of(node.result));
    } catch (const ValueError& e) {
      throw ValueError(where(e));
    } catch (const TypeError& e) {
      throw TypeError(where(e));
    }
  }
  return layouts;
}

}  // namespace mpskit::graph
