#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/field.hpp"

// Parameter objects as values: a plain struct with its `info` and `fields`, such as a kernel or a neuron. Here they are
// erased, so that bindings, documentation and files are written once for all of them and a new one costs no template code.
namespace mpskit {

struct KernelInfo {
  std::string_view name;       // Apple's class without MPS and family
  std::string_view summary;    // one sentence
  std::string_view reference;  // Apple's class and header
  std::string_view notes;      // precision, borders, NaN
};

using TypeId = const void*;
namespace detail {
template <class T>
inline char type_tag = 0;  // not const: its address must stay its own
}
template <class T>
inline constexpr TypeId type_id = &detail::type_tag<T>;

struct FieldInfo {
  std::string_view name, unit, doc;
  Range range;
  TypeId type;
  std::ptrdiff_t offset;                        // bytes into the value
  bool (*equal)(const void*, const void*);
  std::span<const std::string_view> enum_names; // empty unless it is an enumeration, which is read and set by its index
  std::size_t (*enum_index)(const void* field) = nullptr;
  void (*set_enum)(void* field, std::size_t index) = nullptr;

  void* in(void* value) const { return static_cast<std::byte*>(value) + offset; }
  const void* in(const void* value) const { return static_cast<const std::byte*>(value) + offset; }
};

struct PropertyInfo {
  std::string_view name, doc;
  std::function<std::int64_t(const void* value)> get;
};

struct ValueType {
  std::string_view family;  // Python module: "image", "linalg", "cnn", "rnn"
  KernelInfo info;
  std::vector<FieldInfo> fields;
  std::vector<PropertyInfo> properties;
  std::vector<Alias> aliases;
  std::size_t positional = 0;  // so many fields may be given without their names
  std::shared_ptr<void> (*copy)(const void* value);  // of the defaults when null
  bool (*equal)(const void*, const void*);
  void (*validate)(const void* value);  // rules between fields; throws
  const Record* record = nullptr;       // that holds some of the fields
};

template <class V>
concept ValueDescriptor = std::equality_comparable<V> && std::default_initializable<V> && std::copy_constructible<V> && requires {
  { V::info } -> std::convertible_to<KernelInfo>;
  V::fields;  // std::tuple of Field
};

template <class V, class Base, class T>
FieldInfo field_info(const V& defaults, const Field<Base, T>& f) {
  const auto* begin = reinterpret_cast<const std::byte*>(&defaults);
  FieldInfo out{f.name, f.unit, f.doc, f.range, type_id<T>, reinterpret_cast<const std::byte*>(&(defaults.*f.member)) - begin,
                [](const void* a, const void* b) { return *static_cast<const T*>(a) == *static_cast<const T*>(b); }, {}};
  if constexpr (std::is_enum_v<T>) {
    out.enum_names = enum_names<T>;
    out.enum_index = [](const void* field) { return static_cast<std::size_t>(*static_cast<const T*>(field)); };
    out.set_enum = [](void* field, std::size_t index) { *static_cast<T*>(field) = static_cast<T>(index); };
  }
  return out;
}

template <ValueDescriptor V>
ValueType make_value_type(std::string_view family) {
  ValueType type{family, V::info, {}, {}, {}, 0,
                 [](const void* v) -> std::shared_ptr<void> { return v ? std::make_shared<V>(*static_cast<const V*>(v)) : std::make_shared<V>(); },
                 [](const void* a, const void* b) { return *static_cast<const V*>(a) == *static_cast<const V*>(b); },
                 [](const void* v) {
                   if constexpr (requires(const V& value) { value.validate(); }) static_cast<const V*>(v)->validate();
                   else (void)v;
                 }};
  const V defaults{};
  type.fields.reserve(std::tuple_size_v<std::remove_cvref_t<decltype(V::fields)>>);
  std::apply([&](const auto&... field) { (type.fields.push_back(field_info(defaults, field)), ...); }, V::fields);
  if constexpr (requires { V::properties; })
    for (const Property<V>& p : V::properties)
      type.properties.push_back({p.name, p.doc, [get = p.get](const void* v) { return (static_cast<const V*>(v)->*get)(); }});
  if constexpr (requires { V::aliases; }) type.aliases.assign(V::aliases.begin(), V::aliases.end());
  if constexpr (requires { V::record; }) type.record = &V::record;
  if constexpr (requires { V::positional; }) type.positional = V::positional;
  return type;
}

// One ValueType per descriptor; its address is its identity. Declared by MPSKIT_VALUE or MPSKIT_KERNEL below each descriptor.
template <class V>
const ValueType& value_type();
template <class V>
inline constexpr bool is_value = false;  // MPSKIT_VALUE: a parameter of kernels, no kernel itself

// The parameter objects that are no kernels. Written by the build: the folders are the lists.
std::span<const ValueType* const> value_types();

// Stated once, at the end of a header in kernels/<family>/values/. The build writes one source with the definition: what it
// takes to compile is paid once, not by every file that knows the type.
#define MPSKIT_VALUE(family_, Name)                                                       \
  static_assert(::mpskit::ValueDescriptor<::mpskit::family_::Name>);                      \
  template <>                                                                             \
  inline constexpr bool mpskit::is_value<::mpskit::family_::Name> = true;                 \
  template <>                                                                             \
  const ::mpskit::ValueType& mpskit::value_type<::mpskit::family_::Name>();

#define MPSKIT_DEFINE_VALUE(family_, Name)                                                                  \
  template <>                                                                                               \
  const ::mpskit::ValueType& mpskit::value_type<::mpskit::family_::Name>() {                                \
    static const ::mpskit::ValueType type = ::mpskit::make_value_type<::mpskit::family_::Name>(#family_);   \
    return type;                                                                                            \
  }

}  // namespace mpskit
