#include "bindings/call.hpp"

#include "bindings/convert.hpp"
#include "bindings/devices.hpp"

namespace mpskit::python {
namespace {

struct Prepared {
  std::shared_ptr<Engine> engine;
  std::vector<Operand> inputs, outputs;
  py::object result;  // what the caller gets: out as given, or new outputs; several as a tuple
};

struct Options {
  py::handle out;
  OutputHints hints;
  std::shared_ptr<Engine> engine;
  bool temporary = true;          // encode(): the new output is a temporary of the command buffer
  bool optional_outputs = false;  // make them too
};

std::string input_names(const KernelType& type) {
  std::string names;
  std::string_view before;
  for (const OperandSpec& spec : type.operands)
    if (spec.role == Role::input && std::exchange(before, spec.name) != spec.name)
      names += cat(names.empty() ? "" : ", ", spec.name,
                   spec.count == Count::optional ? " (optional)"
                   : spec.count == Count::many   ? " (one or more)"
                                                 : "");
  return names;
}

// The objects given as inputs, in the order of the operands: positional, or under the operand's name.
struct Given {
  const KernelType& type;
  std::span<const OperandSpec> specs;  // the inputs
  std::vector<py::handle> objects;

  Given(const KernelType& t, const py::args& args) : type(t) {
    std::size_t inputs = 0;
    for (const OperandSpec& spec : type.operands) inputs += spec.role == Role::input;
    specs = type.operands.first(inputs);
    objects.reserve(args.size());
    for (std::size_t i = 0; i < args.size(); ++i) {
      const py::handle object = args[i];
      if (spec_of(objects.size()).count != Count::one && is_group(object))
        for (py::handle item : object) objects.push_back(item);
      else objects.push_back(object);
    }
  }
  static bool is_group(py::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }
  const OperandSpec& spec_of(std::size_t i) const {
    return specs.empty() ? type.operands.front() : specs[std::min(i, specs.size() - 1)];
  }
  bool take_keyword(std::string_view name, py::handle value) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (specs[i].name != name && (specs[i].word.empty() || specs[i].word != name)) continue;
      if (i < objects.size() && objects[i])
        throw TypeError(cat(type.info.name, ": ", name, " is given twice; allowed: once, by position or by name."));
      // Optional operands of one name are given together, as a tuple.
      std::size_t most = 1;
      while (i + most < specs.size() && specs[i + most].name == specs[i].name) ++most;
      const bool several = specs[i].count == Count::optional && is_group(value);
      const std::size_t count = several ? py::len(value) : 1;
      if (count > most)
        throw ValueError(cat(type.info.name, ": ", name, " has ", count, " items; allowed: ", most, ". Pass as many, or none."));
      if (objects.size() < i + count) objects.resize(i + count);
      if (!several) objects[i] = value;
      else
        for (py::handle item : value) objects[i++] = item;
      return true;
    }
    return false;
  }
  void finish() {
    while (!objects.empty() && (!objects.back() || objects.back().is_none()) &&
           spec_of(objects.size() - 1).count == Count::optional)
      objects.pop_back();
    std::size_t least = 0;
    for (const OperandSpec& spec : specs) least += spec.count != Count::optional;
    const bool open = !specs.empty() && specs.back().count == Count::many;
    bool whole = objects.size() >= least && (open || objects.size() <= specs.size());
    for (py::handle object : objects) whole = whole && object;
    if (!whole)
      throw TypeError(cat(type.info.name, ": ", objects.size(), " inputs given; allowed: ", input_names(type),
                          ". Parameters go into the constructor."));
  }
};

[[noreturn]] void refuse_keyword(const Given& given, std::string_view name) {
  std::vector<std::string> known{"out", "dtype", "channels", "device", "temporary"};
  for (const OperandSpec& spec : given.type.operands)
    for (const std::string_view word : {spec.name, spec.word})
      if (!word.empty()) known.emplace_back(word);
  const std::string near = nearest(name, known);
  throw TypeError(
      cat(given.type.info.name, ": unknown keyword '", name, "'; allowed in a call: ", input_names(given.type),
          ", out, dtype, channels, device. ",
          near.empty() ? std::string("Parameters go into the constructor.") : cat("Did you mean '", near, "'?")));
}

bool asks_for_outputs(const KernelType& type, std::string_view name) {
  return std::ranges::any_of(type.operands, [name](const OperandSpec& s) {
    return s.role == Role::output && s.count == Count::optional && (s.name == name || (!s.word.empty() && s.word == name));
  });
}

Options read_options(Given& given, const py::kwargs& kwargs, bool encodes) {
  Options o;
  const std::string_view kernel = given.type.info.name;
  for (const auto& [key, value] : kwargs) {
    const auto name = py::cast<std::string>(key);
    if (name == "out") {
      if (!value.is_none()) o.out = value;
    } else if (name == "dtype") {
      if (!value.is_none()) o.hints.dtype = dtype_from(value, kernel);
    } else if (name == "channels") {
      if (!value.is_none()) o.hints.channels = to_int(value, Where{kernel, "channels", Range{.min = 1}, ""});
    } else if (name == "device") {
      if (!value.is_none()) o.engine = engine_from(value, kernel);
    } else if (name == "temporary" && encodes) {
      o.temporary = to_bool(value, Where{kernel, "temporary", {}, ""});
    } else if (asks_for_outputs(given.type, name)) {
      o.optional_outputs = to_bool(value, Where{kernel, name, {}, ""});
    } else if (!given.take_keyword(name, value)) {
      refuse_keyword(given, name);
    }
  }
  return o;
}

// What the inputs say about the shape of outputs that the caller did not give: arrays or ours, gray pictures, batches.
struct Fashion {
  bool is_array = true, is_gray = true, is_batch = false;
  void see(const Taken& t) {
    const Kind kind = t.operand.layout.kind;
    is_array = is_array && t.is_array;
    is_batch = is_batch || t.rank == full_rank(kind);
    if (kind == Kind::image) is_gray = is_gray && t.rank == 2;
  }
  int rank_of(const Layout& l) const {
    const int full = full_rank(l.kind);
    if (is_batch || l.batch() > 1) return full;
    return l.kind == Kind::image && is_gray && l.channels() == 1 ? 2 : full - 1;
  }
};

Prepared prepare(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs, CommandBuffer* buffer) {
  if (buffer) buffer->require_open("encode");
  const KernelType& type = self.kernel->type();
  Given given(type, args);
  const Options options = read_options(given, kwargs, buffer != nullptr);
  given.finish();
  Prepared p;
  p.engine = buffer ? buffer->engine() : options.engine;
  if (buffer && options.engine && options.engine != buffer->engine())
    throw ValueError(cat(type.info.name, ": device is '", options.engine->name(), "', the command buffer is of '",
                         buffer->engine()->name(), "'; allowed: its own. Omit device."));

  Fashion fashion;
  Layouts layouts;
  p.inputs.reserve(given.objects.size());
  layouts.reserve(given.objects.size());
  for (std::size_t i = 0; i < given.objects.size(); ++i) {
    const OperandSpec& spec = given.spec_of(i);
    Taken t = take(given.objects[i], spec.kind, Who{type.info.name, spec.name});
    fashion.see(t);
    if (!p.engine) p.engine = std::move(t.engine);
    layouts.push_back(t.operand.layout);
    p.inputs.push_back(std::move(t.operand));
  }
  if (!p.engine) p.engine = current_engine();

  auto outputs = type.operands.subspan(given.specs.size());
  std::size_t always = 0;
  while (always < outputs.size() && outputs[always].count != Count::optional) ++always;
  const bool is_limited = always < outputs.size() && !options.optional_outputs;
  if (is_limited) outputs = outputs.first(always);
  if (options.out) {
    if (options.hints.dtype || options.hints.channels)
      throw ValueError(
          cat(type.info.name,
              ": out and dtype or channels are both given; allowed: one. out already has a dtype and channels."));
    const TakeOptions writing{.for_writing = true};
    if (outputs.size() == 1) {
      p.outputs.push_back(take(options.out, outputs[0].kind, Who{type.info.name, "out"}, writing).operand);
    } else {
      if (!PyTuple_Check(options.out.ptr()) ||
          static_cast<std::size_t>(PyTuple_GET_SIZE(options.out.ptr())) != outputs.size())
        throw TypeError(cat(type.info.name, ": out is ", type_name(options.out), "; allowed: a tuple of ",
                            outputs.size(), ", one for each output."));
      for (std::size_t i = 0; i < outputs.size(); ++i)
        p.outputs.push_back(take(PyTuple_GET_ITEM(options.out.ptr(), static_cast<py::ssize_t>(i)), outputs[i].kind,
                                 Who{type.info.name, outputs[i].name}, writing)
                                .operand);
    }
    p.result = py::reinterpret_borrow<py::object>(options.out);
    return p;
  }
  check_inputs(*self.kernel, layouts);
  Layouts made = self.kernel->infer(layouts, options.hints);
  if (is_limited) made.resize(always);
  const bool keeps_old = self.kernel->reads_outputs(made);
  p.outputs.reserve(made.size());
  py::list results, optional;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const OperandSpec& spec = outputs[std::min(i, outputs.size() - 1)];
    const bool is_passing = buffer && options.temporary && !spec.is_lasting;
    // A part of the output that the kernel leaves alone is zero; a temporary begins undefined, so then it is none.
    p.outputs.push_back(is_passing && !keeps_old ? buffer->temporary(made[i]) : allocate(*p.engine, made[i], keeps_old));
    const int rank = spec.is_single && made[i].batch() == 1 ? full_rank(made[i].kind) - 1 : fashion.rank_of(made[i]);
    py::object result = fashion.is_array && !is_passing ? as_array(p.outputs.back(), rank, true) : make_data(p.outputs.back(), rank, p.engine);
    (spec.count == Count::optional ? optional : results).append(std::move(result));
  }
  if (options.optional_outputs) results.append(py::tuple(optional));
  p.result = results.size() == 1 ? py::object(results[0]) : py::object(py::tuple(results));
  return p;
}

std::shared_ptr<Completion> start(const BoundKernel& self, Prepared& p, bool caller_waits) {
  const Unlocked unlocked;
  return mpskit::submit(*p.engine, self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs), caller_waits);
}

py::object call(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, nullptr);
  const std::shared_ptr<Completion> completion = start(self, p, true);
  wait(*completion);
  return std::move(p.result);
}

py::object submit(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, nullptr);
  std::shared_ptr<Completion> completion = start(self, p, false);
  drop_released();
  return py::cast(PyCompletion{std::move(completion), std::move(p.result)});
}

py::object encode(const BoundKernel& self, PyCommandBuffer& buffer, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, buffer.buffer.get());
  {
    const Unlocked unlocked;
    buffer.buffer->encode(self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs));
  }
  return std::move(p.result);
}

// Why the device would not run this call, or None. Errors of the call itself (shapes, dtypes) are raised.
py::object why_not(const BoundKernel& self, const py::args& args, const py::kwargs& kwargs) {
  Prepared p = prepare(self, args, kwargs, nullptr);
  check_operands(*self.kernel, p.inputs, p.outputs);
  Layouts in, out;
  for (const Operand& o : p.inputs) in.push_back(o.layout);
  for (const Operand& o : p.outputs) out.push_back(o.layout);
  const auto reason = p.engine->refuses(Call{*self.kernel, in, out});
  return reason ? py::object(py::str(cat(self.kernel->type().info.name, ": ", *reason))) : py::object(py::none());
}

[[noreturn]] void refuse_change(const py::object& self, const py::object& name) {
  py::set_error(PyExc_AttributeError, cat(type_name(self), ": ", py::cast<std::string>(py::str(name)),
                                          " cannot be changed; a kernel is a value. Make another with replace(",
                                          py::cast<std::string>(py::str(name)), "=...).")
                                          .c_str());
  throw py::error_already_set();
}

}  // namespace

py::class_<BoundKernel> bind_calls(py::module_& m) {
  py::class_<BoundKernel> kernel(
      m, "Kernel", R"(What all kernels have in common: immutable, hashable, picklable values that are called.

A call takes the kernel's inputs, and the keywords `out` (where the result goes), `dtype` and `channels` (of a new result), and
`device` (a name or an mps.Device; else that of the first Image, Matrix or Vector, else the current one).)");
  kernel.def("__call__", &call, "Run on these inputs and wait: arrays in, arrays out; Images in, Image out.")
      .def("submit", &submit, "Start on these inputs; a Completion. Takes what the call takes.")
      .def("encode", &encode,
           R"(Record into a command buffer; the result, which is there when the command buffer is done.

Takes what the call takes, after the command buffer. A new result is a temporary of the command buffer, for its other kernels;
with temporary=False it outlives it.)")
      .def("why_not", &why_not,
           "Why the device cannot run this call, in words, or None when it can. Takes what the call takes; nothing "
           "runs.")
      .def(
          "supports",
          [](const BoundKernel& k, const py::args& args, const py::kwargs& kwargs) {
            return why_not(k, args, kwargs).is_none();
          },
          "True when the device can run this call. Takes what the call takes; nothing runs.")
      .def("__setattr__",
           [](const py::object& self, const py::object& name, const py::object&) { refuse_change(self, name); })
      .def("__delattr__", [](const py::object& self, const py::object& name) { refuse_change(self, name); })
      .def("__copy__", [](const py::object& self) { return self; })
      .def("__deepcopy__", [](const py::object& self, const py::object&) { return self; });
  kernel.attr("__module__") = "mpskit";
  return kernel;
}

}  // namespace mpskit::python
