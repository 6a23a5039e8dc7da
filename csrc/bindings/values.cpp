#include <unordered_map>

#include "bindings/call.hpp"
#include "bindings/data.hpp"
#include "bindings/fields.hpp"
#include "core/kernel.hpp"

// The Python classes of kernels and parameter objects, made from their descriptors when the module is loaded: constructor,
// properties, comparison, pickling, documentation.
namespace mpskit::python {
namespace {

const ValueType& type_of(const BoundKernel& b) { return *b.kernel->type().value; }
const void* address_of(const BoundKernel& b) { return b.kernel->parameters(); }
const ValueType& type_of(const BoundValue& b) { return *b.type; }
const void* address_of(const BoundValue& b) { return b.value.get(); }

// The classes, which live as long as the interpreter.
std::unordered_map<const ValueType*, PyObject*>& classes() {
  static auto* map = new std::unordered_map<const ValueType*, PyObject*>;
  return *map;
}

std::string short_text(const py::object& value) {  // of a large array its shape and dtype
  constexpr py::ssize_t few = 8;
  if (!py::isinstance<py::array>(value) || py::reinterpret_borrow<py::array>(value).size() <= few) return text_of(value);
  return cat("<", py::cast<std::string>(py::str(value.attr("shape"))), " ", py::cast<std::string>(py::str(value.attr("dtype"))), ">");
}

std::string represent(const ValueType& type, const void* value) {  // as it is written: only what differs from the default
  const std::shared_ptr<void> defaults = type.copy(nullptr);
  std::string out;
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldInfo& f = type.fields[i];
    if (f.equal(f.in(value), f.in(defaults.get()))) continue;
    out += cat(out.empty() ? "" : ", ", f.name, "=", short_text(get_field(f, value)));
  }
  return cat(type.info.name, "(", out, ")");
}

// Equal values have equal fields, and Python hashes equal fields equally. A field without a hash takes no part.
py::ssize_t hash_of(const ValueType& type, const void* value) {
  py::list hashes;
  for (const FieldInfo& f : type.fields) {
    const py::object field = get_field(f, value);
    const py::ssize_t hash = PyObject_Hash(field.ptr());
    if (hash == -1) PyErr_Clear();
    hashes.append(hash == -1 ? 0 : hash);
  }
  return py::hash(py::make_tuple(std::string(type.info.name), py::tuple(hashes)));
}

py::dict keywords(const ValueType& type, const void* value) {
  py::dict out;
  for (const FieldInfo& f : type.fields) out[py::str(std::string(f.name))] = get_field(f, value);
  return out;
}

// Text for people and programs.

std::string list_dtypes(const DTypes& dtypes) {
  std::string out;
  for (std::size_t t = 0; t < dtype_count; ++t)
    if (dtypes.contains(static_cast<DType>(t))) out += cat(out.empty() ? "" : ", ", name_of(static_cast<DType>(t)));
  return out;
}

std::string document(const ValueType& type, const KernelType* kernel) {
  const std::shared_ptr<void> defaults = type.copy(nullptr);
  std::string out = cat(type.info.summary, "\n\nParameters\n----------\n");
  for (const FieldInfo& f : type.fields) {
    const Codec& codec = codec_of(f);
    out += cat(f.name, " : ", codec.type, ", default ", text_of(get_field(f, defaults.get())), "\n    ", f.doc, "\n");
    if (codec.is_number) out += cat("    Allowed: ", describe_range(Where{type.info.name, f.name, f.range, f.unit}, codec.is_integer), ".\n");
    for (std::size_t i = 0; i < f.enum_names.size(); ++i) out += cat(i ? ", '" : "    One of '", f.enum_names[i], i + 1 < f.enum_names.size() ? "'" : "'.\n");
  }
  if (type.record)
    out += cat(type.record->word, " : record of mps.", type.family, ".", type.record->name, ", optional\n    ", type.record->parts.front().field, " and what else Apple passes with it in one struct, instead of them.\n");
  if (kernel) {
    for (const OperandSpec& spec : kernel->operands)
      out += cat(spec.name, " : ", spec.host_check ? "integers" : cat("array of ", list_dtypes(spec.dtypes)), spec.role == Role::output ? ", optional" : "", "\n    Given to the call. ", spec.doc, "\n");
    out += "\nReturns\n-------\n";
    out += "array or mps object\n    `out`, or a new one: an array when every input was an array.\n";
  }
  out += "\nRaises\n------\nValueError\n    A parameter or shape outside its range.\nTypeError\n    A wrong type or dtype, an unknown keyword.\n";
  if (kernel)
    out += "UnsupportedError\n    The device lacks this case; the text says which has it.\nDeviceError\n    The device failed while it worked.\n";
  if (kernel || !type.info.notes.empty()) out += "\nNotes\n-----\n";
  if (!type.info.notes.empty()) out += cat(type.info.notes, "\n");
  if (kernel && !kernel->tolerances.empty()) {
    out += cat(type.info.notes.empty() ? "" : "\n", "Largest error against the exact result:\n\n");
    for (const Tolerance& t : kernel->tolerances)
      out += cat("- ", name_of(t.dtype), ": ", t.absolute, t.relative != 0 ? cat(" + ", t.relative, " * |exact|") : std::string(), " (", t.why, ")\n");
  }
  out += cat("\nReferences\n----------\n", type.info.reference, ".\n");
  return out;
}

py::list describe_fields(const ValueType& type) {
  const std::shared_ptr<void> defaults = type.copy(nullptr);
  py::list out;
  for (const FieldInfo& f : type.fields) {
    py::dict d;
    d["name"] = std::string(f.name);
    d["type"] = std::string(codec_of(f).type);
    d["default"] = get_field(f, defaults.get());
    d["min"] = f.range.min;
    d["max"] = f.range.max;
    d["odd"] = f.range.odd;
    d["unit"] = std::string(f.unit);
    d["doc"] = std::string(f.doc);
    if (!f.enum_names.empty()) {
      py::list names;
      for (std::string_view n : f.enum_names) names.append(std::string(n));
      d["names"] = names;
    }
    out.append(d);
  }
  return out;
}

// Everything that stubs, files and tests need to know.
py::dict describe(const ValueType& type, const KernelType* kernel) {
  py::dict d;
  d["family"] = std::string(type.family);
  d["name"] = std::string(type.info.name);
  d["summary"] = std::string(type.info.summary);
  d["reference"] = std::string(type.info.reference);
  d["notes"] = std::string(type.info.notes);
  d["fields"] = describe_fields(type);
  py::list aliases;
  for (const Alias& alias : type.aliases) {
    py::list fields;
    for (std::string_view field : alias.fields)
      if (!field.empty()) fields.append(std::string(field));
    aliases.append(py::make_tuple(std::string(alias.word), fields));
  }
  d["aliases"] = aliases;
  d["record"] = type.record ? py::object(py::make_tuple(std::string(type.record->word), std::string(type.record->name))) : py::object(py::none());
  py::list properties;
  for (const PropertyInfo& p : type.properties) properties.append(std::string(p.name));
  d["properties"] = properties;
  py::tuple positional(type.positional);
  for (std::size_t i = 0; i < type.positional; ++i) positional[i] = std::string(type.fields[i].name);
  d["positional"] = positional;
  if (!kernel) return d;
  py::list operands;
  for (const OperandSpec& spec : kernel->operands) {
    py::dict o;
    o["name"] = std::string(spec.name);
    o["word"] = std::string(spec.word);
    o["role"] = spec.role == Role::input ? "input" : "output";
    o["kind"] = std::string(name_of(spec.kind));
    py::list dtypes;
    for (std::size_t t = 0; t < dtype_count; ++t)
      if (spec.dtypes.contains(static_cast<DType>(t))) dtypes.append(std::string(name_of(static_cast<DType>(t))));
    o["dtypes"] = dtypes;
    o["count"] = spec.count == Count::one ? "one" : spec.count == Count::optional ? "optional" : "many";
    o["doc"] = std::string(spec.doc);
    o["is_host"] = spec.host_check != nullptr;
    operands.append(o);
  }
  d["operands"] = operands;
  py::dict tolerances;
  for (const Tolerance& t : kernel->tolerances)
    tolerances[py::str(std::string(name_of(t.dtype)))] = py::make_tuple(t.absolute, t.relative);
  d["tolerances"] = tolerances;
  return d;
}

// What inspect.signature() reads: the head of __init__'s text, in CPython's own form. A default that is no literal has no
// place there.
std::string signature(const ValueType& type) {
  const std::shared_ptr<void> defaults = type.copy(nullptr);
  std::string out = "__init__(self";
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const std::string value = text_of(get_field(type.fields[i], defaults.get()));
    out += cat(i == type.positional ? ", *" : "", ", ", type.fields[i].name, "=", value.find_first_of("<(") == std::string::npos || value[0] == '(' ? value : "...");
  }
  return out + ")\n--\n\nParameters as documented for the class.";
}

// Methods that all classes over B have.
template <class B>
void add_methods(py::class_<B>& cls) {
  cls.def("__eq__", [](const py::object& self, const py::object& other) {
    if (!py::type::of(self).is(py::type::of(other))) return false;
    const auto &a = py::cast<const B&>(self), &b = py::cast<const B&>(other);
    return type_of(a).equal(address_of(a), address_of(b));
  });
  cls.def("__hash__", [](const B& b) { return hash_of(type_of(b), address_of(b)); });
  cls.def("__repr__", [](const B& b) { return represent(type_of(b), address_of(b)); });
  cls.def("replace", [](const py::object& self, const py::args& args, const py::kwargs& changes) {
    const auto& b = py::cast<const B&>(self);
    const ValueType& type = type_of(b);
    py::dict all = keywords(type, address_of(b));
    for (const Alias& alias : type.aliases)
      if (changes.contains(py::str(std::string(alias.word))))
        for (std::string_view field : alias.fields)
          if (const py::str name{std::string(field)}; all.contains(name)) all.attr("pop")(name);
    if (type.record && changes.contains(py::str(std::string(type.record->word))))
      for (const Record::Part& part : type.record->parts) all.attr("pop")(std::string(part.field), py::none());
    all.attr("update")(changes);
    return py::type::of(self)(*args, **all);
  }, "The same with some parameters changed; keywords as of the constructor.");
  cls.def("__reduce__", [](const py::object& self) {
    // Through a function of the package: keyword arguments do not fit into __reduce__ itself.
    const auto& b = py::cast<const B&>(self);
    return py::make_tuple(py::module_::import("mpskit._core").attr("_restore"), py::make_tuple(py::type::of(self), keywords(type_of(b), address_of(b))));
  });
}

// A class of one descriptor below `base`. `make` turns a value into what the object holds.
template <class B, class Make>
void add_class(const py::class_<B>& base, py::module_& module, const ValueType& type, const KernelType* kernel, Make make) {
  py::options options;
  options.disable_function_signatures();
  py::dict names;
  const std::string text = signature(type);
  names["__init__"] = py::cpp_function(
      [&type, make](py::detail::value_and_holder& self, const py::args& args, const py::kwargs& kwargs) {
        self.value_ptr() = new B(make(construct(type, args, kwargs)));
      },
      py::name("__init__"), py::is_method(base), py::detail::is_new_style_constructor(), text.c_str());
  const py::object property = py::module_::import("builtins").attr("property");
  for (const FieldInfo& f : type.fields) {
    const std::string doc(f.doc), name(f.name);
    names[py::str(name)] = property(py::cpp_function([&f](const B& b) { return get_field(f, address_of(b)); }, py::name(name.c_str())),
                                    py::none(), py::none(), doc);
  }
  for (const PropertyInfo& p : type.properties)
    names[py::str(std::string(p.name))] = property(py::cpp_function([&p](const B& b) { return p.get(address_of(b)); }, py::name(std::string(p.name).c_str())),
                                                   py::none(), py::none(), std::string(p.doc));
  if (type.record)
    names[py::str(std::string(type.record->word))] =
        property(py::cpp_function([&type](const B& b) { return get_record(type, address_of(b)); }, py::name(std::string(type.record->word).c_str())), py::none(), py::none(),
                 cat("Those of its parameters that Apple passes in one struct, a record of mps.", type.family, ".", type.record->name, "; the constructor takes it too."));
  names["__doc__"] = document(type, kernel);
  names["__module__"] = cat("mpskit.", type.family);
  names["__slots__"] = py::tuple();
  names["_descriptor"] = describe(type, kernel);
  const std::string name(type.info.name);
  py::object cls = py::type::of(base)(name, py::make_tuple(base), names);
  reinterpret_cast<PyTypeObject*>(cls.ptr())->tp_flags &= ~Py_TPFLAGS_BASETYPE;  // final: its subclass would lose its fields in replace()
  module.attr(name.c_str()) = cls;
  module.attr("__all__").cast<py::list>().append(name);
  classes()[&type] = cls.release().ptr();
}

}  // namespace

py::object value_to(const ValueType& type, std::shared_ptr<const void> value) {
  const auto cls = py::reinterpret_borrow<py::object>(classes().at(&type));
  return cls(**keywords(type, value.get()));
}

void bind_values(py::module_& m, py::class_<BoundKernel>& kernel) {
  py::class_<BoundValue> value(m, "Value", "What all parameter objects have in common: immutable, hashable, picklable values.");
  value.attr("__module__") = "mpskit._core";
  add_methods(kernel);
  add_methods(value);
  const auto module_of = [&](std::string_view family) { return m.attr(std::string(family).c_str()).cast<py::module_>(); };
  for (const char* family : {"image", "linalg", "cnn", "rnn"}) m.def_submodule(family).attr("__all__") = py::list();
  for (const ValueType* type : value_types()) {
    py::module_ module = module_of(type->family);
    add_class(value, module, *type, nullptr, [type](std::shared_ptr<void> v) { return BoundValue{type, std::move(v)}; });
  }
  for (const KernelType* type : kernel_types()) {
    py::module_ module = module_of(type->family);
    add_class(kernel, module, *type->value, type, [type](const std::shared_ptr<void>& v) { return BoundKernel{type->make(v.get())}; });
  }
  // The types of records by name. A function: it asks NumPy, which is not there while stubs are written.
  m.def("_records", [] {
    py::dict found;
    found["KeypointData"] = keypoint_dtype();
    for (const KernelType* type : kernel_types())
      if (const Record* r = type->value->record) found[py::str(std::string(r->name))] = record_dtype(*r);
    return found;
  });
}

}  // namespace mpskit::python
