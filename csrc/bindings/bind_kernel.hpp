#pragma once
#include <string>
#include <tuple>
#include <utility>

#include "bindings/call.hpp"
#include "bindings/convert.hpp"
#include "core/kernel.hpp"

// One Python class out of one descriptor: constructor, properties, comparison, pickling, documentation, calls.
namespace mpskit::python {

template <class K>
struct Bound : BoundKernel {
  const K& value() const { return static_cast<const KernelOf<K>&>(*kernel).value(); }
};

template <class K, class F>
void for_each_field(F&& f) {
  std::apply([&](const auto&... field) { (f(field), ...); }, K::fields);
}
template <class K>
std::vector<std::string> field_names() {
  std::vector<std::string> out;
  for_each_field<K>([&](const auto& f) { out.emplace_back(f.name); });
  return out;
}
template <class K>
constexpr auto aliases_of() {
  if constexpr (requires { K::aliases; }) return K::aliases;
  else return std::array<Alias, 0>{};
}
template <class K>
py::object field_value(const K& k, const auto& field) {
  using T = std::remove_cvref_t<decltype(k.*field.member)>;
  return Converter<T>::to(k.*field.member);
}

// A value with these keywords; what they do not name is as in `k`.
template <class K>
K construct(const py::args& args, const py::kwargs& kwargs, K k = {}) {
  if (!args.empty())
    throw TypeError(cat(K::info.name, ": ", args.size(), " positional arguments; allowed: keywords only, such as ",
                        K::info.name, "(", field_names<K>().empty() ? std::string() : field_names<K>().front() + "=...", ")."));
  py::dict given(kwargs);
  for (const Alias& alias : aliases_of<K>()) {
    const py::str word{std::string(alias.word)};
    if (!given.contains(word)) continue;
    const py::object value = given[word];
    given.attr("pop")(word);
    // One number means both; a pair is (vertical, horizontal), as everywhere in Python.
    const bool pair = py::isinstance<py::tuple>(value) && py::len(value) == 2;
    for (std::size_t i = 0; i < 2; ++i) {
      if (alias.fields[i].empty()) continue;
      const py::str name{std::string(alias.fields[i])};
      if (given.contains(name))
        throw TypeError(cat(K::info.name, ": ", alias.word, " and ", alias.fields[i], " are both given; allowed: one. They mean the same."));
      given[name] = pair ? py::object(value[py::int_(1 - i)]) : value;
    }
  }
  for_each_field<K>([&](const auto& f) {
    using T = std::remove_cvref_t<decltype(k.*f.member)>;
    const py::str name{std::string(f.name)};
    if (!given.contains(name)) return;
    k.*f.member = Converter<T>::from(given[name], Where{K::info.name, f.name, f.range, f.unit});
    given.attr("pop")(name);
  });
  if (!given.empty()) {
    const auto word = py::cast<std::string>(*py::list(given).begin());
    std::vector<std::string> names = field_names<K>();
    for (const Alias& alias : aliases_of<K>()) names.emplace_back(alias.word);
    std::string allowed;
    for (const std::string& n : names) allowed += (allowed.empty() ? "" : ", ") + n;
    const std::string near = nearest(word, names);
    throw TypeError(cat(K::info.name, ": unknown keyword '", word, "'; allowed: ", allowed.empty() ? std::string("none") : allowed,
                        near.empty() ? std::string(".") : cat(". Did you mean '", near, "'?")));
  }
  if constexpr (requires { k.validate(); }) k.validate();  // rules between fields
  return k;
}

template <class K>
py::dict keywords(const K& k) {
  py::dict out;
  for_each_field<K>([&](const auto& f) { out[py::str(std::string(f.name))] = field_value(k, f); });
  return out;
}

template <class K>
std::string represent(const K& k) {  // as it is written: only what differs from the default
  const K defaults{};
  std::string out;
  for_each_field<K>([&](const auto& f) {
    if (k.*f.member == defaults.*f.member) return;
    out += cat(out.empty() ? "" : ", ", f.name, "=", text_of(field_value(k, f)));
  });
  return cat(K::info.name, "(", out, ")");
}

std::string document(const KernelType& type, const std::vector<std::array<std::string, 4>>& parameters);

// name, type, default and text of each parameter: for the docstring, the stubs and the tests.
template <class K>
py::list describe_fields() {
  py::list out;
  const K defaults{};
  for_each_field<K>([&](const auto& f) {
    using T = std::remove_cvref_t<decltype(defaults.*f.member)>;
    py::dict d;
    d["name"] = std::string(f.name);
    d["type"] = std::string(Converter<T>::type);
    d["default"] = field_value(defaults, f);
    d["min"] = f.range.min;
    d["max"] = f.range.max;
    d["odd"] = f.range.odd;
    d["unit"] = std::string(f.unit);
    d["doc"] = std::string(f.doc);
    if constexpr (std::is_enum_v<T>) {
      py::list names;
      for (std::string_view n : enum_names<T>) names.append(std::string(n));
      d["names"] = names;
    }
    out.append(d);
  });
  return out;
}
py::dict describe(const KernelType& type, py::list fields);
py::ssize_t hash_or_zero(py::handle value);

template <class K>
void bind_kernel(py::module_& module) {
  using B = Bound<K>;
  std::vector<std::array<std::string, 4>> parameters;
  const K defaults{};
  for_each_field<K>([&](const auto& f) {
    using T = std::remove_cvref_t<decltype(defaults.*f.member)>;
    const Where where{K::info.name, f.name, f.range, f.unit};
    std::string range;
    if constexpr (std::is_arithmetic_v<T> && !std::same_as<T, bool>) range = describe_range(where, std::integral<T>);
    parameters.push_back({std::string(f.name), std::string(Converter<T>::type) + ", default " + text_of(field_value(defaults, f)), range, std::string(f.doc)});
  });
  py::options options;
  options.disable_function_signatures();
  const std::string name(K::info.name);
  // What inspect.signature() reads: the head of __init__'s text, in CPython's own form. A default that is no literal has no place there.
  std::string signature;
  for_each_field<K>([&](const auto& f) {
    const std::string value = text_of(field_value(defaults, f));
    signature += cat(", ", f.name, "=", value.find('<') == std::string::npos ? value : "...");
  });
  const std::string init = cat("__init__(self", signature.empty() ? std::string() : cat(", *", signature), ")\n--\n\n", "Parameters as documented for the class.");
  py::class_<B, BoundKernel> cls(module, name.c_str(), py::is_final(), document(kernel_type<K>(), parameters).c_str());
  cls.def(py::init([](const py::args& args, const py::kwargs& kwargs) {
    B b;
    b.kernel = std::make_shared<const KernelOf<K>>(construct<K>(args, kwargs));
    return b;
  }), init.c_str());
  for_each_field<K>([&](const auto& f) {
    cls.def_property_readonly(std::string(f.name).c_str(), [f](const B& b) { return field_value(b.value(), f); }, std::string(f.doc).c_str());
  });
  cls.def("__eq__", [](const B& a, const py::object& b) { return py::isinstance<B>(b) && a.value() == py::cast<const B&>(b).value(); });
  // Equal kernels have equal fields, and Python hashes equal fields equally. A field without a hash takes no part.
  cls.def("__hash__", [](const B& b) {
    py::list hashes;
    for_each_field<K>([&](const auto& f) { hashes.append(hash_or_zero(field_value(b.value(), f))); });
    return py::hash(py::make_tuple(std::string(K::info.name), py::tuple(hashes)));
  });
  cls.def("replace", [](const B& b, const py::args& args, const py::kwargs& changes) {
    B changed;
    changed.kernel = std::make_shared<const KernelOf<K>>(construct<K>(args, changes, b.value()));
    return changed;
  }, "A kernel with some parameters changed; keywords as of the constructor.");
  cls.def("__repr__", [](const B& b) { return represent(b.value()); });
  cls.def("__reduce__", [](const py::object& self) {
    // Through a function of the package: keyword arguments do not fit into __reduce__ itself.
    const auto& b = py::cast<const B&>(self);
    return py::make_tuple(py::module_::import("mpskit._core").attr("_restore"), py::make_tuple(py::type::of(self), keywords(b.value())));
  });
  cls.attr("__module__") = cat("mpskit.", kernel_type<K>().family);
  py::dict described = describe(kernel_type<K>(), describe_fields<K>());
  py::list aliases;
  for (const Alias& alias : aliases_of<K>()) {
    py::list fields;
    for (std::string_view field : alias.fields)
      if (!field.empty()) fields.append(std::string(field));
    aliases.append(py::make_tuple(std::string(alias.word), fields));
  }
  described["aliases"] = aliases;
  cls.attr("_descriptor") = described;
  module.attr("__all__").cast<py::list>().append(name);
}

}  // namespace mpskit::python
