#pragma once
#include <optional>

#include "bindings/python.hpp"

// Images, matrices and vectors between Python and operands.
namespace mpskit::python {

// mps.Image, mps.Matrix and mps.Vector: an operand with the shape that its owner gave it.
struct Data {
  Operand operand;
  int rank = 0;            // of the array that it shows: 2 for a picture (height, width)
  bool is_shared = true;   // false: the bytes were copied from the array it was made from
  std::shared_ptr<Engine> engine;
};
struct Image : Data {};
struct Matrix : Data {};
struct Vector : Data {};

py::dtype dtype_object(DType dtype);
DType dtype_from(py::handle dtype, std::string_view who);

// The operand in a Python object: one of ours, an array, or anything with __dlpack__ or the buffer protocol. `who` is
// "GaussianBlur: image" for messages. An array is shared when its rows are contiguous, else copied; `copied` says which.
struct Taken {
  Operand operand;
  int rank;
  bool is_array;  // results go back as arrays
  bool copied;
};
enum class Copy { if_needed, never, always };
Taken take(py::handle object, Kind kind, std::string_view who, Copy copy = Copy::if_needed, bool writable = false);

// A new output: an array that shares its storage, or one of our classes.
py::object make_output(Operand operand, int rank, bool as_array, const std::shared_ptr<Engine>& engine);
py::array as_array(const Operand& operand, int rank);
Operand allocate(Engine& engine, const Layout& layout, bool zeroed);

}  // namespace mpskit::python
