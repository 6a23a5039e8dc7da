#include "bindings/convert.hpp"

namespace mpskit::python {

std::string describe_range(const Where& w, bool integer) {
  const bool has_min = w.range.min > std::numeric_limits<double>::lowest();
  const bool has_max = w.range.max < std::numeric_limits<double>::max();
  auto number = [&](double v) {
    const bool is_whole = std::abs(v) < 1e15 && v == std::trunc(v);
    return integer || is_whole ? std::to_string(static_cast<std::int64_t>(v)) : to_text(v);
  };
  std::string out;
  if (has_min) out += cat(number(w.range.min), w.range.open_min ? " < " : " <= ");
  if (has_min || has_max) out += w.field;
  if (has_max) out += cat(" <= ", number(w.range.max));
  if (out.empty()) out = integer ? "any integer" : "any finite number";
  if (w.range.odd) out += ", odd";
  if (!w.unit.empty()) out += cat(" ", w.unit);
  return out;
}

bool to_bool(py::handle v, const Where& w) {
  if (PyBool_Check(v.ptr())) return v.ptr() == Py_True;
  refuse_type(w, v, "True or False", "Pass a bool.");
}

double to_double(py::handle v, const Where& w, bool is_single) {
  if (PyBool_Check(v.ptr()) || py::isinstance<py::str>(v)) refuse_type(w, v, "a number", "Pass a float.");
  PyObject* number = PyNumber_Float(v.ptr());
  if (!number) {
    PyErr_Clear();
    refuse_type(w, v, "a number", "Pass a float.");
  }
  const double given = PyFloat_AS_DOUBLE(number);
  Py_DECREF(number);
  // The greatest float32 is shown as 3.4028235e+38, which is a little more.
  const double d = is_single && std::abs(given) < 0x1.ffffffp127 ? static_cast<double>(static_cast<float>(given)) : given;
  if (!std::isfinite(d) || !w.range.contains(d)) refuse_value(w, v, describe_range(w, false), "Pass a value in that range.");
  return d;
}

std::int64_t to_int(py::handle v, const Where& w) {
  if (PyBool_Check(v.ptr()) || !PyIndex_Check(v.ptr())) refuse_type(w, v, "an integer", "Pass an int.");
  PyObject* index = PyNumber_Index(v.ptr());
  if (!index) throw py::error_already_set();
  int overflow = 0;
  const long long n = PyLong_AsLongLongAndOverflow(index, &overflow);
  Py_DECREF(index);
  if (overflow != 0 || !w.range.contains(static_cast<double>(n)))
    refuse_value(w, v, describe_range(w, true), w.range.odd ? "Pass an odd number in that range." : "Pass a value in that range.");
  return n;
}

std::size_t to_enum(py::handle v, const Where& w, std::span<const std::string_view> names) {
  std::string allowed;
  std::vector<std::string> words;
  for (std::string_view n : names) {
    allowed += cat(allowed.empty() ? "" : ", ", "'", n, "'");
    words.emplace_back(n);
  }
  if (!py::isinstance<py::str>(v)) refuse_type(w, v, allowed, "Pass one of these names.");
  const auto text = py::cast<std::string>(v);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == text) return i;
  const std::string near = nearest(text, words);
  refuse_value(w, v, allowed, near.empty() ? "Pass one of these names." : cat("Did you mean '", near, "'?"));
}

std::vector<std::int64_t> to_ints(py::handle v, const Where& w, std::size_t least, std::size_t most, std::string_view allowed) {
  if (!py::isinstance<py::sequence>(v) || py::isinstance<py::str>(v)) refuse_type(w, v, allowed, "Pass a tuple.");
  std::vector<std::int64_t> out;
  for (py::handle item : py::reinterpret_borrow<py::sequence>(v)) {
    if (PyBool_Check(item.ptr()) || !PyIndex_Check(item.ptr())) refuse_type(w, v, allowed, "Pass integers.");
    out.push_back(to_int(item, Where{w.kernel, w.field, Range{}, ""}));
  }
  if (out.size() < least || out.size() > most) refuse_value(w, v, allowed, "Pass a tuple of that length.");
  return out;
}

}  // namespace mpskit::python
