#include "bindings/call.hpp"

namespace mpskit::python {
namespace {

struct Prepared {
  std::shared_ptr<Engine> engine;
  std::vector<Operand> inputs, outputs;
  py::object result;  // what the caller gets: out as given, or new outputs
};

struct Options {
  py::object out;
  OutputHints hints;
  std::shared_ptr<Engine> engine;
  bool temporary = true;  // encode(): the new output is a temporary of the command buffer
};

Options read_options(const KernelType& type, const py::kwargs& kwargs) {
  Options o{py::none(), {}, nullptr, true};
  for (const auto& [key, value] : kwargs) {
    const auto name = py::cast<std::string>(key);
    if (name == "out") {
      o.out = py::reinterpret_borrow<py::object>(value);
    } else if (name == "dtype") {
      if (!value.is_none()) o.hints.dtype = dtype_from(value, type.info.name);
    } else if (name == "channels") {
      if (!value.is_none()) {
        if (!PyLong_Check(value.ptr()) || PyBool_Check(value.ptr()))
          throw TypeError(cat(type.info.name, ": channels is ", text_of(value), "; allowed: an integer from 1. Pass an int."));
        o.hints.channels = py::cast<std::int64_t>(value);
        if (*o.hints.channels < 1)
          throw ValueError(cat(type.info.name, ": channels is ", text_of(value), "; allowed: an integer from 1."));
      }
    } else if (name == "device") {
      if (!value.is_none()) o.engine = Engines::find(py::cast<std::string>(py::str(value)));
    } else if (name == "temporary") {
      if (!PyBool_Check(value.ptr()))
        throw TypeError(cat(type.info.name, ": temporary is ", text_of(value), "; allowed: True or False. Pass a bool."));
      o.temporary = value.ptr() == Py_True;
    } else {
      const std::vector<std::string> known{"out", "dtype", "channels", "device", "temporary"};
      const std::string near = nearest(name, known);
      throw TypeError(cat(type.info.name, ": unknown keyword '", name, "'; allowed in a call: out, dtype, channels, device. ",
                          near.empty() ? std::string("Parameters go into the constructor.") : cat("Did you mean '", near, "'?")));
    }
  }
  return o;
}

Prepared prepare(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs, CommandBuffer* buffer) {
  const KernelType& type = self.kernel->type();
  const Options options = read_options(type, kwargs);
  Prepared p;
  p.engine = buffer ? buffer->engine() : options.engine ? options.engine : nullptr;

  std::size_t wanted = 0;
  for (const OperandSpec& spec : type.operands) wanted += spec.role == Role::input;
  if (args.size() != wanted) {
    std::string names;
    for (const OperandSpec& spec : type.operands)
      if (spec.role == Role::input) names += cat(names.empty() ? "" : ", ", spec.name);
    throw TypeError(cat(type.info.name, ": ", args.size(), " inputs given; allowed: ", wanted, " (", names, ")."));
  }
  bool array = true;
  int rank = 0;
  Layouts layouts;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const py::handle object = args[i];
    if (!p.engine && py::isinstance<Data>(object)) p.engine = py::cast<const Data&>(object).engine;
    Taken t = take(object, type.operands[i].kind, cat(type.info.name, ": ", type.operands[i].name));
    array = array && t.is_array;
    rank = std::max(rank, t.rank);
    layouts.push_back(t.operand.layout);
    p.inputs.push_back(std::move(t.operand));
  }
  if (!p.engine) p.engine = Engines::current();

  if (!options.out.is_none()) {
    if (options.hints.dtype || options.hints.channels)
      throw ValueError(cat(type.info.name, ": out and dtype or channels are both given; allowed: one. out already has a dtype and channels."));
    p.outputs.push_back(take(options.out, type.operands[wanted].kind, cat(type.info.name, ": out"), Copy::never, true).operand);
    p.result = options.out;
    return p;
  }
  const Layouts made = self.kernel->infer(layouts, options.hints);
  for (const Layout& layout : made) {
    if (buffer && options.temporary) {
      p.outputs.push_back(buffer->temporary(layout));
    } else {
      p.outputs.push_back(allocate(*p.engine, layout, self.kernel->reads_outputs(made)));
    }
  }
  p.result = make_output(p.outputs[0], rank, array && !(buffer && options.temporary), p.engine);
  return p;
}

}  // namespace

py::object call(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, nullptr);
  std::shared_ptr<Completion> completion;
  {
    py::gil_scoped_release unlocked;
    completion = mpskit::submit(*p.engine, self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs), true);
  }
  wait(*completion);
  return p.result;
}

py::object submit(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, nullptr);
  std::shared_ptr<Completion> completion;
  {
    py::gil_scoped_release unlocked;
    completion = mpskit::submit(*p.engine, self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs), false);
  }
  return py::cast(PyCompletion{std::move(completion), std::move(p.result)});
}

py::object encode(const BoundKernel& self, PyCommandBuffer& buffer, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, buffer.buffer.get());
  {
    py::gil_scoped_release unlocked;
    buffer.buffer->encode(self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs));
  }
  return p.result;
}

}  // namespace mpskit::python
