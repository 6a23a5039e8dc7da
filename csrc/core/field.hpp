#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>

namespace mpskit {

// What a number may be. An end is allowed unless it is marked open; NaN never is, infinity only where the range says so.
struct Range {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
  bool open_min = false;
  bool odd = false;  // integers only
  constexpr bool contains(double v) const {
    return (open_min ? v > min : v >= min) && v <= max && (!odd || static_cast<long long>(v) % 2 != 0);
  }
};

// One parameter of a kernel: everything that Python, the documentation and the tests need to know about it.
template <class K, class T>
struct Field {
  std::string_view name;  // Apple's property in snake_case
  T K::*member;
  Range range;
  std::string_view unit;
  std::string_view doc;  // one sentence, ends with a full stop
};
// `Base` is K or one of its bases (EdgeMode of every unary image kernel is declared once).
template <class Base, class T>
Field(const char*, T Base::*, Range, const char*, const char*) -> Field<Base, T>;

// A number that follows from the fields; read-only in Python.
template <class K>
struct Property {
  std::string_view name;
  std::int64_t (K::*get)() const;
  std::string_view doc;
};

// Another established word for one or more fields: stride=2 for stride_in_pixels_x and stride_in_pixels_y.
struct Alias {
  std::string_view word;
  std::array<std::string_view, 2> fields;
};

// A struct of C that Apple passes some fields in, as a record of NumPy's with that layout. A kernel has it as a property, and takes it
// instead of those fields.
struct Record {
  struct Part {
    std::string_view field, format;  // NumPy's word for the type
    std::size_t offset;
  };
  std::string_view word, name;  // of the property, and of the type: histogram_info, HistogramInfo
  std::size_t bytes;
  std::span<const Part> parts;
};

// Names of an enumeration's values in Python, in order. Specialised beside the enumeration:
//   template <> inline constexpr auto enum_names<EdgeMode> = std::array<std::string_view, 2>{"zero", "clamp"};
template <class E>
inline constexpr auto enum_names = std::array<std::string_view, 0>{};

template <class E>
constexpr std::string_view name_of_enum(E value) {
  return enum_names<E>[static_cast<std::size_t>(value)];
}

}  // namespace mpskit
