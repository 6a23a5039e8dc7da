#include "bindings/bind_kernel.hpp"

namespace mpskit::python {

std::string document(const KernelType& type, const std::vector<std::array<std::string, 4>>& parameters) {
  std::string out = cat(type.info.summary, "\n\nParameters\n----------\n");
  for (const auto& [name, kind, range, doc] : parameters) {
    out += cat(name, " : ", kind, "\n    ", doc, "\n");
    if (!range.empty()) out += cat("    Allowed: ", range, ".\n");
  }
  for (const OperandSpec& spec : type.operands) {
    std::string dtypes;
    for (std::size_t t = 0; t < dtype_count; ++t)
      if (spec.dtypes.contains(static_cast<DType>(t))) dtypes += cat(dtypes.empty() ? "" : ", ", name_of(static_cast<DType>(t)));
    out += cat(spec.name, " : array of ", dtypes, spec.role == Role::output ? ", optional" : "", "\n    Given to the call. ", spec.doc, "\n");
  }
  out += "\nReturns\n-------\n";
  out += "array or mps object\n    `out`, or a new one: an array when every input was an array.\n";
  out += "\nRaises\n------\nValueError\n    A parameter or shape outside its range.\nTypeError\n    A wrong type or dtype, an unknown keyword.\n"
         "UnsupportedError\n    The device lacks this case; the text says which has it.\nDeviceError\n    The device failed while it worked.\n";
  out += "\nNotes\n-----\n";
  if (!type.info.notes.empty()) out += cat(type.info.notes, "\n\n");
  out += "Largest error against the exact result:\n\n";
  for (const Tolerance& t : type.tolerances)
    out += cat("- ", name_of(t.dtype), ": ", t.absolute, t.relative != 0 ? cat(" + ", t.relative, " * |exact|") : std::string(), " (", t.why, ")\n");
  out += cat("\nReferences\n----------\n", type.info.reference, ".\n");
  return out;
}

py::ssize_t hash_or_zero(py::handle value) {
  const py::ssize_t hash = PyObject_Hash(value.ptr());
  if (hash == -1) PyErr_Clear();
  return hash == -1 ? 0 : hash;
}

py::dict describe(const KernelType& type, py::list fields) {
  py::dict d;
  d["family"] = std::string(type.family);
  d["name"] = std::string(type.info.name);
  d["summary"] = std::string(type.info.summary);
  d["reference"] = std::string(type.info.reference);
  d["notes"] = std::string(type.info.notes);
  d["fields"] = std::move(fields);
  py::list operands;
  for (const OperandSpec& spec : type.operands) {
    py::dict o;
    o["name"] = std::string(spec.name);
    o["role"] = spec.role == Role::input ? "input" : "output";
    o["kind"] = std::string(name_of(spec.kind));
    py::list dtypes;
    for (std::size_t t = 0; t < dtype_count; ++t)
      if (spec.dtypes.contains(static_cast<DType>(t))) dtypes.append(std::string(name_of(static_cast<DType>(t))));
    o["dtypes"] = dtypes;
    o["count"] = spec.count == Count::one ? "one" : spec.count == Count::optional ? "optional" : "many";
    o["doc"] = std::string(spec.doc);
    operands.append(o);
  }
  d["operands"] = operands;
  py::dict tolerances;
  for (const Tolerance& t : type.tolerances)
    tolerances[py::str(std::string(name_of(t.dtype)))] = py::make_tuple(t.absolute, t.relative);
  d["tolerances"] = tolerances;
  return d;
}

}  // namespace mpskit::python
