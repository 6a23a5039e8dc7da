#include <pybind11/stl.h>

#include "bindings/call.hpp"
#include "bindings/convert.hpp"
#include "graph/cpu_graph.hpp"
#include "graph/graph_kernel.hpp"
#include "graph/program.hpp"

// mps._core.graph.Network: a network that is called as a kernel is. Graph, its subclass in Python, is what users see.
namespace mpskit::python {
namespace {

struct BoundGraph : BoundKernel {
  const graph::GraphKernel& value() const { return static_cast<const graph::GraphKernel&>(*kernel); }
  const graph::Network& network() const { return value().network(); }
};

BoundGraph bound(graph::Network network) {
  BoundGraph g;
  g.kernel = std::make_shared<const graph::GraphKernel>(std::move(network));
  return g;
}

constexpr std::array<DType, 4> format_dtypes{DType::u8, DType::u16, DType::f16, DType::f32};
constexpr std::array<std::string_view, 4> format_names{"unorm8", "unorm16", "float16", "float32"};

DType format_from(py::handle value, std::string_view field) { return format_dtypes[to_enum(value, Where{"Graph", field, {}, ""}, format_names)]; }

using NodeTuple = std::tuple<py::object, std::vector<graph::Index>, graph::Index, std::string>;  // kernel or None, sources, result, label

BoundGraph make(const std::vector<std::pair<std::string, py::object>>& images, const std::vector<NodeTuple>& nodes, std::vector<graph::Index> inputs,
                std::vector<graph::Index> outputs, const py::object& format) {
  graph::Network n;
  for (const auto& [name, image_format] : images) {
    graph::Image& image = n.images.emplace_back();
    image.name = name;
    if (!image_format.is_none()) image.format = format_from(image_format, cat("format of '", name, "'"));
  }
  for (const auto& [kernel, sources, result, label] : nodes) {
    if (!kernel.is_none() && !py::isinstance<BoundKernel>(kernel))
      throw TypeError(cat("Graph: the kernel of node '", label, "' is a ", type_name(kernel), "; allowed: a kernel such as mps.cnn.SoftMax(). Pass one."));
    n.nodes.push_back({kernel.is_none() ? nullptr : py::cast<const BoundKernel&>(kernel).kernel, sources, result, label});
  }
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  n.format = format_from(format, "format");
  if (n.format != DType::f32 && n.format != DType::f16)
    throw ValueError(cat("Graph: format is '", channel_format_of(n.format), "'; allowed: 'float32', 'float16'. Pass 'float32', and dtype= to the call for another result."));
  graph::validate(n);
  const Unlocked unlocked;  // passes look at data sources
  return bound(graph::optimized(std::move(n)));
}

// The network without its outputs behind the first `count`.
BoundGraph first_outputs(const BoundGraph& g, std::size_t count) {
  graph::Network n = g.network();
  n.outputs.resize(std::min(count, n.outputs.size()));
  graph::drop_unused(n);
  return bound(std::move(n));
}

using Shape = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;  // dtype, images, height, width, channels

Layouts layouts_from(const BoundGraph& g, const std::optional<std::vector<Shape>>& shapes) {
  if (!shapes) {
    Layouts last = g.value().last_inputs();
    if (last.empty()) throw ValueError("Graph: no sizes are known; allowed: after the first run, or with the shapes of the inputs. Pass shapes.");
    return last;
  }
  Layouts out;
  for (const auto& [dtype, images, height, width, channels] : *shapes) out.push_back(Layout::image(dtype_from(py::str(dtype), "Graph"), images, height, width, channels));
  if (out.size() != g.network().inputs.size())
    throw ValueError(cat("Graph: ", out.size(), " shapes given; allowed: ", g.network().inputs.size(), ", one for each input."));
  check_inputs(*g.kernel, out);
  return out;
}

// Shapes of all images for these inputs; None for images that nothing makes.
py::list shapes(const BoundGraph& g, const std::optional<std::vector<Shape>>& inputs) {
  py::list out;
  for (const Layout& l : graph::infer(g.network(), layouts_from(g, inputs))) {
    if (l.extent[0] == 0) out.append(py::none());
    else out.append(py::make_tuple(std::string(name_of(l.dtype)), l.images(), l.height(), l.width(), l.channels()));
  }
  return out;
}

py::dict memory_plan(const BoundGraph& g, const std::optional<std::vector<Shape>>& inputs) {
  const Layouts in = layouts_from(g, inputs), all = graph::infer(g.network(), in);
  Layouts out;
  for (const graph::Index o : g.network().outputs) out.push_back(all[o].packed());
  const graph::Program p = graph::compile(g.network(), in, out);
  py::dict d;
  d["bytes"] = p.memory.bytes;
  d["least_bytes"] = p.memory.least;
  d["allocations"] = p.memory.bytes > 0 ? 1 : 0;
  d["images"] = p.blocks;
  d["separate_bytes"] = p.separate_bytes;
  d["separate_allocations"] = p.separate_blocks;
  py::list places, steps;
  for (const graph::Place& place : p.places)
    if (!place.operand && place.life.bytes > 0) places.append(py::make_tuple(place.offset, place.life.bytes, place.life.first, place.life.last));
  for (const graph::Step& s : p.steps) steps.append(cat(s.kernel ? std::string() : "copy for ", graph::describe(g.network().nodes[s.node])));
  d["places"] = places;
  d["steps"] = steps;
  return d;
}

py::list nodes(const BoundGraph& g) {
  py::list out;
  for (const graph::Node& node : g.network().nodes) out.append(py::make_tuple(std::string(graph::kind_of(node)), node.sources, node.result, node.label));
  return out;
}

}  // namespace

void bind_graph(py::module_& m) {
  py::module_ module = m.def_submodule("graph");
  py::class_<BoundGraph, BoundKernel> network(module, "Network", "A network of kernels, optimized, called as a kernel is. Use mps.graph.Graph.");
  network.def(py::init(&make), py::arg("images"), py::arg("nodes"), py::arg("inputs"), py::arg("outputs"), py::arg("format"))
      .def(py::init(&first_outputs), py::arg("network"), py::arg("outputs"))
      .def("_nodes", &nodes)
      .def("_shapes", &shapes, py::arg("inputs") = py::none())
      .def("_memory_plan", &memory_plan, py::arg("inputs") = py::none())
      .def("_renew", [](const BoundGraph& g) {
        const Unlocked unlocked;
        g.plans->renew(*g.kernel);
      });
  network.attr("__module__") = "mpskit._core.graph";
  module.def("_poison_memory", &graph::poison_memory, py::arg("on"));
}

}  // namespace mpskit::python
