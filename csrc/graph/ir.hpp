#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/kernel.hpp"

// A network as a value: images, and the nodes that make them. It knows neither sizes nor engines. A node is a kernel with a
// source or more and one result; the one operation without a kernel is concatenation along the channels.
namespace mpskit::graph {

using Index = std::size_t;

struct Image {
  std::string name;             // for messages and pictures
  std::optional<DType> format;  // else the network's
};

struct Node {
  std::shared_ptr<const Kernel> kernel;  // null: concatenation
  std::vector<Index> sources;
  Index result = 0;
  std::string label;
};

struct Network {
  std::vector<Image> images;
  std::vector<Node> nodes;             // each behind those whose results it reads
  std::vector<Index> inputs, outputs;  // of the caller, in his order
  DType format = DType::f32;           // of images that have none of their own

  DType format_of(Index image) const { return images[image].format.value_or(format); }
};

std::string_view kind_of(const Node& node);   // "Convolution", "Concatenation"
std::string describe(const Node& node);       // "'conv1' (Convolution)"
std::vector<std::size_t> readers(const Network& network);  // nodes that read each image; an output counts as one more

// Throws ValueError unless indices, order and the kernels' operands make a network.
void validate(const Network& network);

// Passes. Each leaves the outputs' meaning as it was.
void drop_unused(Network& network);             // nodes that no output needs
void join_concatenations(Network& network);     // a concatenation of concatenations is one
void fuse(Network& network);                    // batch normalization and neurons into the convolution before them
Network optimized(Network network);             // all of them

// The layout of every image for these inputs, packed; unused images have none (no extents). ValueError or TypeError names the
// node. `dtype` is that of the outputs, for who asks for another than the network's.
Layouts infer(const Network& network, std::span<const Layout> inputs, std::optional<DType> dtype = {});

}  // namespace mpskit::graph
