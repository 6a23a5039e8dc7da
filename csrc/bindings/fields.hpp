#pragma once
#include "bindings/convert.hpp"
#include "core/value.hpp"

// Fields of erased values: the conversions of convert.hpp, found by the field's type.
namespace mpskit::python {

struct Codec {
  std::string_view type;  // as stubs and documentation write it
  bool is_number = false, is_integer = false;
  void (*from)(py::handle value, const Where& where, void* field);
  py::object (*to)(const void* field);
};
// The list of types is in fields.cpp.
const Codec& codec_of(const FieldInfo& field);

void set_field(const ValueType& type, const FieldInfo& field, void* value, py::handle given);
py::object get_field(const FieldInfo& field, const void* value);
py::object get_record(const ValueType& type, const void* value);  // of its Record

// A value with these arguments; what they do not name is as in `start`, or the default when that is null. ValueError and
// TypeError as the fields' ranges say.
std::shared_ptr<void> construct(const ValueType& type, const py::args& args, const py::kwargs& kwargs, const void* start = nullptr);

// mps parameter objects that are no kernels: mps.cnn.NeuronDescriptor.
struct alignas(needs_init) BoundValue {
  MPSKIT_NEEDS_INIT
  const ValueType* type = nullptr;
  std::shared_ptr<const void> value;
};
// The value in a Python object: of that class, or what its first positional parameter takes ("relu" for a neuron).
std::shared_ptr<const void> value_from(const ValueType& type, py::handle object, const Where& where);
py::object value_to(const ValueType& type, std::shared_ptr<const void> value);

template <class V>
  requires is_value<V>
struct Converter<V> {
  static constexpr std::string_view type = V::info.name;
  static V from(py::handle v, const Where& w) { return *static_cast<const V*>(value_from(value_type<V>(), v, w).get()); }
  static py::object to(const V& v) { return value_to(value_type<V>(), std::make_shared<const V>(v)); }
};

}  // namespace mpskit::python
