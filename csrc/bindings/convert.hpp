#pragma once
#include <array>
#include <cmath>
#include <optional>
#include <type_traits>

#include "bindings/python.hpp"
#include "core/field.hpp"
#include "core/geometry.hpp"

// Values of fields between Python and C++. No number is rounded, clipped or guessed: what does not fit is refused with
// the field's own range.
namespace mpskit::python {

// Where a value stands in a message: "GaussianBlur: sigma".
struct Where {
  std::string_view kernel, field;
  Range range;
  std::string_view unit;
};

[[noreturn]] inline void refuse_value(const Where& w, py::handle given, std::string_view allowed, std::string_view remedy) {
  throw ValueError(cat(w.kernel, ": ", w.field, " is ", text_of(given), "; allowed: ", allowed, ". ", remedy));
}
[[noreturn]] inline void refuse_type(const Where& w, py::handle given, std::string_view allowed, std::string_view remedy) {
  throw TypeError(cat(w.kernel, ": ", w.field, " is ", text_of(given), " (", type_name(given), "); allowed: ", allowed, ". ", remedy));
}

std::string describe_range(const Where& where, bool integer);

bool to_bool(py::handle value, const Where& where);
double to_double(py::handle value, const Where& where, bool is_single = false);  // is_single: as float32 holds it
std::int64_t to_int(py::handle value, const Where& where);
std::size_t to_enum(py::handle value, const Where& where, std::span<const std::string_view> names);
std::vector<std::int64_t> to_ints(py::handle value, const Where& where, std::size_t least, std::size_t most,
                                  std::string_view allowed);

template <class T>
struct Converter;  // static T from(py::handle, const Where&); static py::object to(const T&); static type text for stubs

template <>
struct Converter<bool> {
  static constexpr std::string_view type = "bool";
  static bool from(py::handle v, const Where& w) { return to_bool(v, w); }
  static py::object to(bool v) { return py::bool_(v); }
};
template <>
struct Converter<std::string> {
  static constexpr std::string_view type = "str";
  static std::string from(py::handle v, const Where& w) {
    if (!py::isinstance<py::str>(v)) refuse_type(w, v, "text", "Pass a str.");
    return py::cast<std::string>(v);
  }
  static py::object to(const std::string& v) { return py::str(v); }
};
template <class T>
  requires std::floating_point<T>
struct Converter<T> {
  static constexpr std::string_view type = "float";
  static T from(py::handle v, const Where& w) { return static_cast<T>(to_double(v, w, std::same_as<T, float>)); }
  // A float32 shows as the number that was written: 0.1, not 0.10000000149.
  static py::object to(T v) {
    if constexpr (std::same_as<T, float>) return py::float_(std::strtod(to_text(static_cast<double>(v)).c_str(), nullptr));
    else return py::float_(v);
  }
};
template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>)
struct Converter<T> {
  static constexpr std::string_view type = "int";
  static T from(py::handle v, const Where& w) { return static_cast<T>(to_int(v, w)); }
  static py::object to(T v) { return py::int_(v); }
};
template <class T>
  requires std::is_enum_v<T>
struct Converter<T> {
  static constexpr std::string_view type = "str";
  static T from(py::handle v, const Where& w) { return static_cast<T>(to_enum(v, w, enum_names<T>)); }
  static py::object to(T v) { return py::str(std::string(name_of_enum(v))); }
};
template <>
struct Converter<Offset> {
  static constexpr std::string_view type = "tuple[int, ...]";
  static Offset from(py::handle v, const Where& w) {
    const auto n = to_ints(v, w, 2, 3, "(x, y) or (x, y, z), integers");
    return {n[0], n[1], n.size() > 2 ? n[2] : 0};
  }
  static py::object to(const Offset& o) {
    if (o.z == 0) return py::make_tuple(o.x, o.y);
    return py::make_tuple(o.x, o.y, o.z);
  }
};
template <>
struct Converter<Origin> {
  static constexpr std::string_view type = "tuple[int, ...]";
  static Origin from(py::handle v, const Where& w) {
    constexpr std::string_view allowed = "(row, column), integers from 0 to 2**40";
    const auto n = to_ints(v, w, 2, 3, allowed);
    for (std::int64_t i : n)
      if (i < 0 || i > largest_extent) refuse_value(w, v, allowed, "Count from the first element.");
    return {n[0], n[1], n.size() > 2 ? n[2] : 0};
  }
  static py::object to(const Origin& o) {
    if (o.z == 0) return py::make_tuple(o.x, o.y);
    return py::make_tuple(o.x, o.y, o.z);
  }
};
template <>
struct Converter<Size> {
  static constexpr std::string_view type = "tuple[int, ...]";
  static Size from(py::handle v, const Where& w) {
    const auto n = to_ints(v, w, 2, 3, "(x, y) or (x, y, image), integers");
    return {n[0], n[1], n.size() > 2 ? n[2] : 1};
  }
  static py::object to(const Size& s) {
    if (s.depth == 1) return py::make_tuple(s.width, s.height);
    return py::make_tuple(s.width, s.height, s.depth);
  }
};
template <>
struct Converter<Region> {
  static constexpr std::string_view type = "tuple[int, ...] | None";
  static Region from(py::handle v, const Where& w) {
    if (v.is_none()) return {};
    constexpr std::string_view allowed = "None, (x, y, width, height) or (x, y, z, width, height, depth), integers from 0";
    const auto n = to_ints(v, w, 4, 6, allowed);
    if (n.size() == 5) refuse_value(w, v, allowed, "Pass four or six numbers.");
    for (std::int64_t i : n)
      if (i < 0) refuse_value(w, v, allowed, "A clip rectangle never begins before the first pixel.");
    if (n.size() == 4) return {{n[0], n[1], 0}, {n[2], n[3], Region::unlimited}};
    return {{n[0], n[1], n[2]}, {n[3], n[4], n[5]}};
  }
  static py::object to(const Region& r) {
    if (r.is_everything()) return py::none();
    if (r.origin.z == 0 && r.size.depth == Region::unlimited)
      return py::make_tuple(r.origin.x, r.origin.y, r.size.width, r.size.height);
    return py::make_tuple(r.origin.x, r.origin.y, r.origin.z, r.size.width, r.size.height, r.size.depth);
  }
};
template <class T, std::size_t N>
struct Converter<std::array<T, N>> {
  static constexpr std::string_view type = "tuple[float, ...]";
  static std::array<T, N> from(py::handle v, const Where& w) {
    const std::string allowed = cat(N, " numbers");
    if (!py::isinstance<py::sequence>(v) || py::isinstance<py::str>(v)) refuse_type(w, v, allowed, "Pass a tuple.");
    const auto s = py::reinterpret_borrow<py::sequence>(v);
    if (s.size() != N) refuse_value(w, v, allowed, cat("Pass a tuple of ", N, "."));
    std::array<T, N> out;
    for (std::size_t i = 0; i < N; ++i) out[i] = Converter<T>::from(py::object(s[i]), w);
    return out;
  }
  static py::object to(const std::array<T, N>& a) {
    py::tuple out(N);
    for (std::size_t i = 0; i < N; ++i) out[i] = Converter<T>::to(a[i]);
    return out;
  }
};
template <class T>
struct Converter<std::optional<T>> {
  static constexpr std::string_view type = Converter<T>::type;
  static std::optional<T> from(py::handle v, const Where& w) {
    if (v.is_none()) return std::nullopt;
    return Converter<T>::from(v, w);
  }
  static py::object to(const std::optional<T>& v) { return v ? Converter<T>::to(*v) : py::object(py::none()); }
};
template <>
struct Converter<ScaleTransform> {
  static constexpr std::string_view type = "tuple[float, float, float, float] | None";
  static ScaleTransform from(py::handle v, const Where& w) {
    const auto a = Converter<std::array<double, 4>>::from(v, w);
    return {a[0], a[1], a[2], a[3]};
  }
  static py::object to(const ScaleTransform& t) {
    return Converter<std::array<double, 4>>::to({t.scale_x, t.scale_y, t.translate_x, t.translate_y});
  }
};

}  // namespace mpskit::python
