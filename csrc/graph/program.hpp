#pragma once
#include "core/memory_plan.hpp"
#include "graph/ir.hpp"

// A network for particular sizes, ready to run: what runs in which order, and where each image lies.
namespace mpskit::graph {

// Bytes of an image, or of a concatenation and the images that are parts of it.
struct Place {
  Layout layout;
  std::optional<std::size_t> operand;  // an image of the caller: inputs first, then outputs
  std::size_t offset = 0;              // else its first byte in the block
  Lifetime life;                       // in steps
};

struct Step {
  std::shared_ptr<const Kernel> kernel;  // null: copies its source, an image, into channels of its result
  std::vector<std::size_t> sources;      // places
  std::size_t result = 0;                // place
  std::int64_t channel = 0;              // the first that a copy writes
  std::size_t node = 0;                  // in Network::nodes
};

struct Program {
  std::vector<Place> places;
  std::vector<Step> steps;
  MemoryPlan memory;             // of the block that holds the places of no operand
  std::size_t blocks = 0;        // places in it
  std::size_t separate_bytes = 0, separate_blocks = 0;  // the same with a buffer for each node's result
};

// Throws unless outputs of these layouts can take the results, given what infer() says of all images.
void require_fit(const Network& network, const Layouts& images, std::span<const Layout> outputs);
// Throws as infer() does, and unless the outputs fit.
Program compile(const Network& network, std::span<const Layout> inputs, std::span<const Layout> outputs);

}  // namespace mpskit::graph
