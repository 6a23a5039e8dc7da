#pragma once
#include "bindings/fields.hpp"
#include "kernels/common/cnn_kernel.hpp"
#include "kernels/common/data_source.hpp"

// Parameters of networks between Python and C++: arrays of numbers, data sources, padding.
namespace mpskit::python {

template <>
struct Converter<Array> {  // shares the bytes of an array in C order; a list or tuple of numbers becomes float32
  static constexpr std::string_view type = "NDArray[Any]";
  static Array from(py::handle value, const Where& where);
  static py::object to(const Array& value);  // read-only
};
template <>
struct Converter<cnn::Weights> {  // a data source of ours, an object with load(), or an array
  static constexpr std::string_view type = "Any";
  static cnn::Weights from(py::handle value, const Where& where);
  static py::object to(const cnn::Weights& value);
};
template <>
struct Converter<cnn::Padding> {
  static constexpr std::string_view type = "Literal['same', 'valid', 'full'] | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]";
  static cnn::Padding from(py::handle value, const Where& where);
  static py::object to(const cnn::Padding& value);
};

}  // namespace mpskit::python
