#include "graph/ir.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::graph {

std::string_view kind_of(const Node& node) { return node.kernel ? node.kernel->type().info.name : std::string_view("Concatenation"); }
std::string describe(const Node& node) { return cat("'", node.label, "' (", kind_of(node), ")"); }

std::vector<std::size_t> readers(const Network& network) {
  std::vector<std::size_t> count(network.images.size());
  for (const Node& node : network.nodes)
    for (const Index s : node.sources) ++count[s];
  for (const Index o : network.outputs) ++count[o];
  return count;
}

namespace {

void require_operands(const Node& node) {
  if (!node.kernel) {
    if (node.sources.empty()) throw ValueError(cat("Graph: node ", describe(node), " has no sources; allowed: one or more images."));
    return;
  }
  std::size_t least = 0, most = 0, outputs = 0;
  for (const OperandSpec& spec : node.kernel->type().operands) {
    if (spec.kind != Kind::image)
      throw TypeError(cat("Graph: node ", describe(node), " works on a ", name_of(spec.kind), "; allowed: kernels from images to an image. Call it outside the graph."));
    if (spec.role == Role::output) {
      outputs += spec.count == Count::many ? 2 : 1;
    } else {
      least += spec.count != Count::optional;
      most = spec.count == Count::many ? SIZE_MAX : most + (most != SIZE_MAX);
    }
  }
  if (outputs != 1)
    throw TypeError(cat("Graph: node ", describe(node), " has ", outputs, " results; allowed: kernels with one. Call it outside the graph."));
  if (node.sources.size() < least || node.sources.size() > most)
    throw ValueError(cat("Graph: node ", describe(node), " has ", node.sources.size(), " sources; allowed: ", least == most ? cat(least) : cat(least, " or more"),
                         ". Give it the images that its kernel takes."));
}

}  // namespace

void validate(const Network& n) {
  std::vector<bool> exists(n.images.size());
  const auto require_image = [&](Index i) {
    if (i >= n.images.size()) throw ValueError(cat("Graph: image ", i, " of ", n.images.size(), "; allowed: an index below that. The graph's data is damaged."));
  };
  for (const Index i : n.inputs) {
    require_image(i);
    if (exists[i]) throw ValueError(cat("Graph: input '", n.images[i].name, "' is there twice; allowed: once. The graph's data is damaged."));
    exists[i] = true;
  }
  for (const Node& node : n.nodes) {
    require_operands(node);
    require_image(node.result);
    for (const Index s : node.sources) {
      require_image(s);
      if (!exists[s])
        throw ValueError(cat("Graph: node ", describe(node), " reads '", n.images[s].name, "' before anything makes it; allowed: images that are there. The graph's data is damaged."));
    }
    if (exists[node.result])
      throw ValueError(cat("Graph: image '", n.images[node.result].name, "' is made twice; allowed: once. The graph's data is damaged."));
    exists[node.result] = true;
  }
  if (n.outputs.empty()) throw ValueError("Graph: no results; allowed: one or more images. Pass the result_image of the last node.");
  std::vector<bool> is_input(n.images.size()), is_output(n.images.size());
  for (const Index i : n.inputs) is_input[i] = true;
  for (const Index o : n.outputs) {
    require_image(o);
    if (!exists[o]) throw ValueError(cat("Graph: nothing makes the result '", n.images[o].name, "'; allowed: the result of a node."));
    if (is_input[o])
      throw ValueError(cat("Graph: the result '", n.images[o].name, "' is an input; allowed: the result of a node. Pass node.result_image."));
    if (is_output[o]) throw ValueError(cat("Graph: the result '", n.images[o].name, "' is there twice; allowed: once."));
    is_output[o] = true;
  }
}

}  // namespace mpskit::graph
