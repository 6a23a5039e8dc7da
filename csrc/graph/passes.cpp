#include <algorithm>

#include "graph/ir.hpp"

namespace mpskit::graph {

void drop_unused(Network& n) {
  std::vector<bool> needed(n.images.size());
  for (const Index o : n.outputs) needed[o] = true;
  for (auto node = n.nodes.rbegin(); node != n.nodes.rend(); ++node)
    if (needed[node->result])
      for (const Index s : node->sources) needed[s] = true;
  std::erase_if(n.nodes, [&](const Node& node) { return !needed[node.result]; });
}

void join_concatenations(Network& n) {
  const std::vector<std::size_t> read = readers(n);
  std::vector<Node*> made(n.images.size());  // concatenations that only one node reads
  for (Node& node : n.nodes) {
    if (node.kernel) continue;
    std::vector<Index> flat;
    for (const Index s : node.sources) {
      const bool joins = made[s] && n.format_of(s) == n.format_of(node.result);
      if (joins) flat.insert(flat.end(), made[s]->sources.begin(), made[s]->sources.end());
      else flat.push_back(s);
    }
    node.sources = std::move(flat);
    if (read[node.result] == 1 && std::ranges::find(n.outputs, node.result) == n.outputs.end()) made[node.result] = &node;
  }
  drop_unused(n);
}

void fuse(Network&) {}

Network optimized(Network n) {
  drop_unused(n);
  join_concatenations(n);
  fuse(n);
  return n;
}

}  // namespace mpskit::graph
