#include "bindings/call.hpp"

#include <cxxabi.h>

#include "bindings/convert.hpp"
#include "bindings/devices.hpp"

namespace mpskit::python {
namespace {

// What a call gave, as CPython hands it over: values by position, then those of the keywords. Calls are short enough for a tuple and
// a dictionary of each to be felt.
struct Arguments {
  std::span<PyObject* const> positional;
  PyObject* const* values;
  PyObject* names;  // a tuple, or null

  std::size_t keywords() const { return names ? static_cast<std::size_t>(PyTuple_GET_SIZE(names)) : 0; }
  std::string_view name(std::size_t i) const {
    Py_ssize_t length = 0;
    const char* text = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(i)), &length);
    if (!text) throw py::error_already_set();
    return {text, static_cast<std::size_t>(length)};
  }
  py::handle value(std::size_t i) const { return values[i]; }
};

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

  Given(const KernelType& t, std::span<PyObject* const> arguments) : type(t) {
    std::size_t inputs = 0;
    for (const OperandSpec& spec : type.operands) inputs += spec.role == Role::input;
    specs = type.operands.first(inputs);
    objects.reserve(arguments.size());
    for (const py::handle object : arguments) {
      const std::string_view name = spec_of(objects.size()).name;
      if (is_grouped(objects.size()) && is_group(object))
        for (py::handle item : object) objects.push_back(item);
      else objects.push_back(object);
      while (object.is_none() && objects.size() < specs.size() && specs[objects.size()].name == name) objects.push_back(object);  // no group at all
    }
  }
  static bool is_group(py::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }
  const OperandSpec& spec_of(std::size_t i) const {
    return specs.empty() ? type.operands.front() : specs[std::min(i, specs.size() - 1)];
  }
  // Several operands of one name are given together, as a tuple or list, or one after the other.
  bool is_grouped(std::size_t i) const {
    if (spec_of(i).host_check) return false;  // a list is what it holds
    return spec_of(i).count != Count::one || (i + 1 < specs.size() && specs[i + 1].name == specs[i].name);
  }
  bool take_keyword(std::string_view name, py::handle value) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (specs[i].name != name && (specs[i].word.empty() || specs[i].word != name)) continue;
      if (i < objects.size() && objects[i])
        throw TypeError(cat(type.info.name, ": ", name, " is given twice; allowed: once, by position or by name."));
      std::size_t most = 1;
      while (i + most < specs.size() && specs[i + most].name == specs[i].name) ++most;
      const bool several = is_grouped(i) && is_group(value);
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
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if (objects[i] && objects[i].is_none() && spec_of(i).count == Count::optional) objects[i] = {};
      whole = whole && (objects[i] || spec_of(i).count == Count::optional);
    }
    if (!whole)
      throw TypeError(cat(type.info.name, ": ", objects.size(), objects.size() == 1 ? " input" : " inputs", " given; allowed: ", input_names(type),
                          ". Parameters go into the constructor."));
  }
};

[[noreturn]] void refuse_keyword(const Given& given, std::string_view name, bool encodes) {
  if (name == "temporary") throw TypeError(cat(given.type.info.name, ": temporary is given; allowed: in encode() only. A call's result stays: omit it."));
  std::vector<std::string> known{"out", "dtype", "channels", "device"};
  if (encodes) known.emplace_back("temporary");
  for (const OperandSpec& spec : given.type.operands)
    for (const std::string_view word : {spec.name, spec.word})
      if (!word.empty()) known.emplace_back(word);
  const std::string near = nearest(name, known);
  throw TypeError(
      cat(given.type.info.name, ": unknown keyword '", name, "'; allowed in a call: ", input_names(given.type),
          ", out, dtype, channels, device", encodes ? ", temporary. " : ". ",
          near.empty() ? std::string("Parameters go into the constructor.") : cat("Did you mean '", near, "'?")));
}

bool asks_for_outputs(const KernelType& type, std::string_view name) {
  return std::ranges::any_of(type.operands, [name](const OperandSpec& s) {
    return s.role == Role::output && s.count == Count::optional && (s.name == name || (!s.word.empty() && s.word == name));
  });
}

Options read_options(Given& given, const Arguments& arguments, bool encodes) {
  Options o;
  const std::string_view kernel = given.type.info.name;
  for (std::size_t i = 0; i < arguments.keywords(); ++i) {
    const std::string_view name = arguments.name(i);
    const py::handle value = arguments.value(i);
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
      refuse_keyword(given, name, encodes);
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

// Integers that the host reads when the call is made: a list will do, or integers of any width. They are copied, so that nobody changes
// them before an engine works with them.
Operand host_integers(py::handle given, const Who& who) {
  std::string item = std::string(who.operand);
  const auto where = [&] { return Where{who.kernel, item, Range{.min = -0x1p31, .max = 0x1p31 - 1}, ""}; };
  if (const Data* data = object_of<Data>(given); data && data->is_temporary())
    throw TypeError(cat(who.kernel, ": ", item, " is a ", type_name(given), "; allowed: integers that are there when the call is made. Pass a list or an array."));
  auto list = py::reinterpret_borrow<py::object>(given);
  if (!Given::is_group(given)) {
    const py::array array = py::module_::import("numpy").attr("asarray")(given);
    if (array.dtype().kind() != 'i' && array.dtype().kind() != 'u')
      refuse_type(where(), given, "integers", "Pass a list of int, or an array of integers.");
    if (array.ndim() != 1) refuse_value(where(), given, "integers in a row", "Pass a list of int, or an array of one axis.");
    list = array.attr("tolist")();
  }
  const auto items = py::reinterpret_borrow<py::sequence>(list);
  Operand out{Layout::vector(DType::i32, static_cast<std::int64_t>(items.size())), Storage::allocate(items.size() * sizeof(std::int32_t), false), 0, nullptr};
  for (std::size_t i = 0; i < items.size(); ++i) {
    item = cat(who.operand, "[", i, "]");
    reinterpret_cast<std::int32_t*>(out.data())[i] = static_cast<std::int32_t>(to_int(py::object(items[i]), where()));
  }
  return out;
}

Prepared prepare(const BoundKernel& self, const Arguments& arguments, CommandBuffer* buffer) {
  if (buffer) buffer->require_open("encode");
  const KernelType& type = self.kernel->type();
  Given given(type, arguments.positional);
  const Options options = read_options(given, arguments, buffer != nullptr);
  given.finish();
  Prepared p;
  p.engine = buffer ? buffer->engine() : options.engine;
  if (buffer && options.engine && options.engine != buffer->engine())
    throw ValueError(cat(type.info.name, ": device is '", options.engine->name(), "', the command buffer is of '",
                         buffer->engine()->name(), "'; allowed: its own. Omit device."));

  Fashion fashion;
  Layouts layouts;
  p.inputs.reserve(given.objects.size() + type.operands.size() - given.specs.size());  // outputs go behind them
  layouts.reserve(given.objects.size());
  for (std::size_t i = 0; i < given.objects.size(); ++i) {
    if (!given.objects[i]) {  // an optional one, before others
      layouts.emplace_back();
      p.inputs.emplace_back();
      continue;
    }
    const OperandSpec& spec = given.spec_of(i);
    if (spec.host_check) {
      p.inputs.push_back(host_integers(given.objects[i], Who{type.info.name, spec.name}));
      layouts.push_back(p.inputs.back().layout);
      continue;
    }
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
  const bool is_many = !outputs.empty() && outputs.back().count == Count::many;  // a tuple, even of one
  if (options.out) {
    if (options.hints.dtype || options.hints.channels)
      throw ValueError(
          cat(type.info.name,
              ": out and dtype or channels are both given; allowed: one. out already has a dtype and channels."));
    const TakeOptions writing{.for_writing = true};
    if (outputs.size() == 1 && !is_many) {
      p.outputs.push_back(take(options.out, outputs[0].kind, Who{type.info.name, "out"}, writing).operand);
    } else {
      const std::size_t given_outputs = PyTuple_Check(options.out.ptr()) ? static_cast<std::size_t>(PyTuple_GET_SIZE(options.out.ptr())) : 0;
      if (is_many ? given_outputs < outputs.size() : given_outputs != outputs.size())
        throw TypeError(cat(type.info.name, ": out is ", type_name(options.out), "; allowed: a tuple of ",
                            outputs.size(), is_many ? " or more, one for each output." : ", one for each output."));
      for (std::size_t i = 0; i < given_outputs; ++i) {
        const OperandSpec& spec = outputs[std::min(i, outputs.size() - 1)];
        p.outputs.push_back(take(PyTuple_GET_ITEM(options.out.ptr(), static_cast<py::ssize_t>(i)), spec.kind, Who{type.info.name, spec.name}, writing).operand);
      }
    }
    p.result = py::reinterpret_borrow<py::object>(options.out);
    return p;
  }
  check_inputs(*self.kernel, layouts);
  Layouts made = self.kernel->infer(layouts, options.hints);
  if (is_limited) made.resize(always);
  for (const Layout& l : made) require_size(type.info.name, l);
  const bool keeps_old = self.kernel->reads_outputs(made);
  p.outputs.reserve(made.size());
  const auto add_output = [&](std::size_t i) {
    const OperandSpec& spec = outputs[std::min(i, outputs.size() - 1)];
    const bool is_passing = buffer && options.temporary && !spec.is_lasting;
    // A part of the output that the kernel leaves alone is zero; a temporary begins undefined, so then it is none.
    p.outputs.push_back(is_passing && !keeps_old ? buffer->temporary(made[i]) : allocate(*p.engine, made[i], keeps_old));
    const int rank = spec.is_single && made[i].batch() == 1 ? full_rank(made[i].kind) - 1 : fashion.rank_of(made[i]);
    if (!fashion.is_array || is_passing) return make_data(p.outputs.back(), rank, p.engine);
    const py::array array = as_array(p.outputs.back(), rank, true);
    return spec.word == "MPSImageKeypointData" ? py::object(array.attr("view")(keypoint_dtype())) : py::object(array);
  };
  if (made.size() == 1 && !options.optional_outputs && !is_many) {
    p.result = add_output(0);
    return p;
  }
  py::list results, optional;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const bool is_optional = outputs[std::min(i, outputs.size() - 1)].count == Count::optional;
    (is_optional ? optional : results).append(add_output(i));
  }
  if (options.optional_outputs) results.append(py::tuple(optional));
  p.result = results.size() == 1 && !is_many ? py::object(results[0]) : py::object(py::tuple(results));
  return p;
}

std::shared_ptr<Completion> start(const BoundKernel& self, Prepared& p, bool caller_waits) {
  const Unlocked unlocked;
  return mpskit::submit(*p.engine, self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs), caller_waits);
}

py::object call(const BoundKernel& self, const Arguments& arguments) {
  Prepared p = prepare(self, arguments, nullptr);
  const std::shared_ptr<Completion> completion = start(self, p, true);
  wait(*completion);
  return std::move(p.result);
}

py::object submit(const BoundKernel& self, const Arguments& arguments) {
  Prepared p = prepare(self, arguments, nullptr);
  std::shared_ptr<Completion> completion = start(self, p, false);
  drop_released();
  return py::cast(PyCompletion{std::move(completion), std::move(p.result)});
}

py::object encode(const BoundKernel& self, const Arguments& arguments) {
  const auto* given = arguments.positional.empty() ? nullptr : object_of<PyCommandBuffer>(arguments.positional[0]);
  if (!given)
    throw TypeError(cat(self.kernel->type().info.name, ": command_buffer is ",
                        arguments.positional.empty() ? std::string("missing") : cat("a ", type_name(arguments.positional[0])),
                        "; allowed: an mps.CommandBuffer, before the inputs. Pass one of device.command_buffer(), or call the kernel itself."));
  CommandBuffer& buffer = *given->buffer;
  Prepared p = prepare(self, {arguments.positional.subspan(1), arguments.values, arguments.names}, &buffer);
  {
    const Unlocked unlocked;
    buffer.encode(self.kernel, *self.plans, std::move(p.inputs), std::move(p.outputs));
  }
  return std::move(p.result);
}

// Why the device would not run this call, or None. Errors of the call itself (shapes, dtypes) are raised.
py::object why_not(const BoundKernel& self, const Arguments& arguments) {
  Prepared p = prepare(self, arguments, nullptr);
  check_operands(*self.kernel, p.inputs, p.outputs);
  Layouts in, out;
  for (const Operand& o : p.inputs) in.push_back(o.layout);
  for (const Operand& o : p.outputs) out.push_back(o.layout);
  const auto reason = p.engine->refuses(Call{*self.kernel, in, out});
  return reason ? py::object(py::str(cat(self.kernel->type().info.name, ": ", *reason))) : py::object(py::none());
}

py::object supports(const BoundKernel& self, const Arguments& arguments) { return py::bool_(why_not(self, arguments).is_none()); }

// A method in CPython's fast form, with what pybind11 does around one.
template <py::object (*body)(const BoundKernel&, const Arguments&)>
PyObject* method(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  try {
    const auto n = static_cast<std::size_t>(count);
    return body(*object_of<BoundKernel>(self), {{values, n}, values + n, names}).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
#ifdef __GLIBCXX__
  } catch (abi::__forced_unwind&) {  // the thread is being ended
    throw;
#endif
  } catch (...) {
    py::detail::try_translate_exceptions();
  }
  return nullptr;
}
template <py::object (*body)(const BoundKernel&, const Arguments&)>
PyMethodDef fast(const char* name, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&method<body>)), METH_FASTCALL | METH_KEYWORDS, doc};
}
PyMethodDef methods[] = {
    fast<call>("__call__", "__call__($self, /, *inputs, **options)\n--\n\nRun on these inputs and wait: arrays in, arrays out; Images in, Image out."),
    fast<submit>("submit", "submit($self, /, *inputs, **options)\n--\n\nStart on these inputs; a Completion. Takes what the call takes."),
    fast<encode>("encode", R"(encode($self, command_buffer, /, *inputs, **options)
--

Record into a command buffer; the result, which is there when the command buffer is done.

Takes what the call takes, after the command buffer. A new result is a temporary of the command buffer, for its other kernels;
with temporary=False it outlives it.)"),
    fast<why_not>("why_not", R"(why_not($self, /, *inputs, **options)
--

Why the device cannot run this call, in words, or None when it can. Takes what the call takes; nothing runs.)"),
    fast<supports>("supports", R"(supports($self, /, *inputs, **options)
--

True when the device can run this call. Takes what the call takes; nothing runs.)"),
};

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
  for (PyMethodDef& m : methods) {
    const auto function = py::reinterpret_steal<py::object>(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(kernel.ptr()), &m));
    if (!function) throw py::error_already_set();
    kernel.attr(m.ml_name) = function;
  }
  kernel
      .def("__setattr__",
           [](const py::object& self, const py::object& name, const py::object&) { refuse_change(self, name); })
      .def("__delattr__", [](const py::object& self, const py::object& name) { refuse_change(self, name); })
      .def("__copy__", [](const py::object& self) { return self; })
      .def("__deepcopy__", [](const py::object& self, const py::object&) { return self; });
  kernel.attr("__module__") = "mpskit";
  return kernel;
}

}  // namespace mpskit::python
