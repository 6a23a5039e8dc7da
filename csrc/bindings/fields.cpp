#include "bindings/fields.hpp"

#include <unordered_map>

#include "bindings/data.hpp"
#include "bindings/data_source.hpp"
#include "kernels/common/rnn_cell.hpp"
#include "value_headers.inc"

namespace mpskit::python {

// A descriptor, or several in a list or tuple.
template <>
struct Converter<std::vector<rnn::AnyDescriptor>> {
  static constexpr std::string_view type = "Value | tuple[Value, ...]";
  static std::vector<rnn::AnyDescriptor> from(py::handle v, const Where& w) {
    std::vector<rnn::AnyDescriptor> all;
    if (PyList_Check(v.ptr()) || PyTuple_Check(v.ptr()))
      for (py::handle item : v) all.push_back(one(item, w));
    else all.push_back(one(v, w));
    return all;
  }
  static py::object to(const std::vector<rnn::AnyDescriptor>& all) {
    py::tuple out(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      out[i] = std::visit([]<class D>(const D& d) { return Converter<D>::to(d); }, all[i]);
    return out;
  }

 private:
  static rnn::AnyDescriptor one(py::handle v, const Where& w) {
    if (py::isinstance<BoundValue>(v)) {
      const auto& bound = py::cast<const BoundValue&>(v);
      if (bound.type == &value_type<rnn::LSTMDescriptor>()) return *static_cast<const rnn::LSTMDescriptor*>(bound.value.get());
      if (bound.type == &value_type<rnn::GRUDescriptor>()) return *static_cast<const rnn::GRUDescriptor*>(bound.value.get());
      if (bound.type == &value_type<rnn::SingleGateDescriptor>()) return *static_cast<const rnn::SingleGateDescriptor*>(bound.value.get());
    }
    refuse_type(w, v, "an LSTMDescriptor, a GRUDescriptor, a SingleGateDescriptor, or a tuple of them", "Pass mps.rnn.LSTMDescriptor(...).");
  }
};

// Several of something, in a list or tuple.
template <class T>
struct Converter<std::vector<T>> {
  static constexpr std::string_view type = std::integral<T> ? "tuple[int, ...]" : "tuple[tuple[int, ...], ...]";
  static std::vector<T> from(py::handle v, const Where& w) {
    if (!PyList_Check(v.ptr()) && !PyTuple_Check(v.ptr())) refuse_type(w, v, "a tuple or list", "Pass a tuple.");
    std::vector<T> all;
    for (py::handle item : v) all.push_back(Converter<T>::from(item, w));
    return all;
  }
  static py::object to(const std::vector<T>& all) {
    py::tuple out(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) out[i] = Converter<T>::to(all[i]);
    return out;
  }
};

namespace {

using Codecs = std::unordered_map<TypeId, Codec>;

template <class T>
void add(Codecs& codecs) {
  codecs[type_id<T>] = {Converter<T>::type, std::is_arithmetic_v<T> && !std::same_as<T, bool>, std::integral<T>,
                        [](py::handle v, const Where& w, void* field) { *static_cast<T*>(field) = Converter<T>::from(v, w); },
                        [](const void* field) -> py::object { return Converter<T>::to(*static_cast<const T*>(field)); }};
}
template <class... T>
void add_all(Codecs& codecs) {
  (add<T>(codecs), ...);
}

// Every type that a field has. A kernel whose field has another is reported when the module is loaded.
const Codecs& codecs() {
  static const Codecs all = [] {
    Codecs c;
    add_all<bool, float, double, std::int64_t, Offset, Origin, Size, Region, ScaleTransform, std::array<float, 3>, std::array<float, 4>,
            std::optional<std::int64_t>, std::optional<float>, std::optional<Offset>, std::optional<ScaleTransform>, std::string, std::optional<Array>,
            cnn::Weights, std::optional<cnn::Weights>, cnn::Padding, std::vector<rnn::AnyDescriptor>, std::vector<Origin>,
            std::vector<std::array<std::int64_t, 4>>, std::vector<std::int64_t>>(c);
#define MPSKIT_LISTED(Name) add_all<Name, std::optional<Name>>(c);
#include "value_list.inc"
#undef MPSKIT_LISTED
    return c;
  }();
  return all;
}

constexpr Codec enumeration{"str", false, false, nullptr, nullptr};

std::string names_of(const ValueType& type) {
  std::string names;
  for (const FieldInfo& f : type.fields) names += cat(names.empty() ? "" : ", ", f.name);
  for (const Alias& a : type.aliases) names += cat(names.empty() ? "" : ", ", a.word);
  if (type.record) names += cat(", ", type.record->word);
  return names;
}

// Words that stand for other fields become those fields. One number means both; a pair is (vertical, horizontal), as
// everywhere in Python.
void replace_aliases(const ValueType& type, py::dict& given) {
  for (const Alias& alias : type.aliases) {
    const py::str word{std::string(alias.word)};
    if (!given.contains(word)) continue;
    const py::object value = given[word];
    given.attr("pop")(word);
    const bool pair = !alias.fields[1].empty() && py::isinstance<py::tuple>(value) && py::len(value) == 2;
    for (std::size_t i = 0; i < 2; ++i) {
      if (alias.fields[i].empty()) continue;
      const py::str name{std::string(alias.fields[i])};
      if (given.contains(name))
        throw TypeError(cat(type.info.name, ": ", alias.word, " and ", alias.fields[i], " are both given; allowed: one. They mean the same."));
      given[name] = pair ? py::object(value[py::int_(1 - i)]) : value;
    }
  }
}

// A record stands for the fields that it holds.
void replace_record(const ValueType& type, py::dict& given) {
  if (!type.record) return;
  const Record& r = *type.record;
  const py::str word{std::string(r.word)};
  if (!given.contains(word)) return;
  const py::object value = given.attr("pop")(word);
  const py::dtype wanted = record_dtype(r);
  const bool is_one = py::hasattr(value, "dtype") && wanted.equal(value.attr("dtype")) && py::cast<py::ssize_t>(value.attr("size")) == 1;
  if (!is_one)
    throw TypeError(cat(type.info.name, ": ", r.word, " is ", text_of(value), " (", type_name(value), "); allowed: one record of mps.", type.family, ".", r.name,
                        ". Make it with numpy.zeros((), mps.", type.family, ".", r.name, ") and fill all of it."));
  const py::tuple values = value.attr("item")();
  for (std::size_t i = 0; i < r.parts.size(); ++i) {
    const py::str name{std::string(r.parts[i].field)};
    if (given.contains(name)) throw TypeError(cat(type.info.name, ": ", r.word, " and ", r.parts[i].field, " are both given; allowed: one. The record holds the field."));
    given[name] = values[i];
  }
}

void take_positional(const ValueType& type, const py::args& args, py::dict& given) {
  if (args.size() > type.positional) {
    std::string first;
    for (std::size_t i = 0; i < type.positional; ++i) first += cat(i ? ", " : "", type.fields[i].name);
    throw TypeError(cat(type.info.name, ": ", args.size(), " positional arguments; allowed: ",
                        first.empty() ? std::string("keywords only") : cat(first, " and keywords"), ", such as ", type.info.name, "(",
                        type.fields.empty() ? std::string() : cat(type.fields[type.positional < type.fields.size() ? type.positional : 0].name, "=..."), ")."));
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    const py::str name{std::string(type.fields[i].name)};
    if (given.contains(name)) throw TypeError(cat(type.info.name, ": ", type.fields[i].name, " is given twice; allowed: once, by position or by name."));
    given[name] = args[i];
  }
}

}  // namespace

const Codec& codec_of(const FieldInfo& f) {
  if (!f.enum_names.empty()) return enumeration;
  const auto found = codecs().find(f.type);
  if (found == codecs().end()) throw TypeError(cat("mpskit: field ", f.name, " has a type without a codec; add it to csrc/bindings/fields.cpp."));
  return found->second;
}

void set_field(const ValueType& type, const FieldInfo& f, void* value, py::handle given) {
  const Where where{type.info.name, f.name, f.range, f.unit};
  if (f.set_enum) f.set_enum(f.in(value), to_enum(given, where, f.enum_names));
  else codec_of(f).from(given, where, f.in(value));
}
py::object get_field(const FieldInfo& f, const void* value) {
  if (f.enum_index) return py::str(std::string(f.enum_names[f.enum_index(f.in(value))]));
  return codec_of(f).to(f.in(value));
}

py::object get_record(const ValueType& type, const void* value) {
  const py::object record = py::module_::import("numpy").attr("zeros")(py::tuple(), record_dtype(*type.record));
  for (const Record::Part& part : type.record->parts)
    for (const FieldInfo& f : type.fields)
      if (f.name == part.field) record[py::str(std::string(f.name))] = get_field(f, value);
  record.attr("setflags")(py::arg("write") = false);
  return record;
}

std::shared_ptr<void> construct(const ValueType& type, const py::args& args, const py::kwargs& kwargs, const void* start) {
  py::dict given(kwargs);
  take_positional(type, args, given);
  replace_aliases(type, given);
  replace_record(type, given);
  std::shared_ptr<void> value = type.copy(start);
  for (const FieldInfo& f : type.fields) {
    const py::str name{std::string(f.name)};
    if (!given.contains(name)) continue;
    set_field(type, f, value.get(), given[name]);
    given.attr("pop")(name);
  }
  if (!given.empty()) {
    const auto word = py::cast<std::string>(*py::list(given).begin());
    std::vector<std::string> names;
    for (const FieldInfo& f : type.fields) names.emplace_back(f.name);
    for (const Alias& a : type.aliases) names.emplace_back(a.word);
    if (type.record) names.emplace_back(type.record->word);
    const std::string near = nearest(word, names);
    throw TypeError(cat(type.info.name, ": unknown keyword '", word, "'; allowed: ", names.empty() ? std::string("none") : names_of(type),
                        near.empty() ? std::string(".") : cat(". Did you mean '", near, "'?")));
  }
  type.validate(value.get());
  return value;
}

std::shared_ptr<const void> value_from(const ValueType& type, py::handle object, const Where& w) {
  if (py::isinstance<BoundValue>(object)) {
    const auto& bound = py::cast<const BoundValue&>(object);
    if (bound.type == &type) return bound.value;
  } else if (type.positional > 0 && !object.is_none()) {
    return construct(type, py::args(py::make_tuple(object)), py::kwargs());
  }
  refuse_type(w, object, cat("a ", type.info.name), cat("Pass mps.", type.family, ".", type.info.name, "(...)."));
}

}  // namespace mpskit::python
