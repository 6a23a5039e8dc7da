#pragma once
#include <optional>

#include "bindings/python.hpp"
#include "core/field.hpp"

// Images, matrices and vectors between Python and operands.
namespace mpskit::python {

// mps.Image, mps.Matrix and mps.Vector: an operand with the shape that its owner gave it.
struct alignas(needs_init) Data {
  MPSKIT_NEEDS_INIT
  Operand operand;
  int rank = 0;             // of the array that it shows: 2 for a picture (height, width)
  bool is_shared = true;    // false: the bytes were copied from the array it was made from
  bool is_writable = true;  // false as well for a read-only view of writable storage
  std::shared_ptr<Engine> engine;

  bool is_temporary() const { return operand.temporary != nullptr; }
};
struct Image : Data {};
struct Matrix : Data {};
struct Vector : Data {};
struct TemporaryImage : Image {};
struct TemporaryMatrix : Matrix {};
struct TemporaryVector : Vector {};

py::dtype dtype_object(DType dtype);
DType dtype_from(py::handle dtype, std::string_view who);

py::dtype record_dtype(const Record& record);
py::dtype keypoint_dtype();  // MPSImageKeypointData: what two words of a matrix of keypoints are

std::string_view class_of(Kind kind);  // "Image"
int full_rank(Kind kind);              // with the axis that counts images, matrices or vectors

// The operand in a Python object: one of ours, an array, or anything with __dlpack__, the buffer protocol or __array__.
// `who` is "GaussianBlur: image" for messages. Foreign memory is shared when its rows are contiguous, else copied.
struct Taken {
  Operand operand;
  int rank;
  bool is_array;  // results go back as arrays
  bool copied;
  bool is_writable;
  std::shared_ptr<Engine> engine;  // of one of ours; else null
};
// "GaussianBlur: image", put together only for a message.
struct Who {
  std::string_view kernel, operand;
};
enum class Copy { if_needed, never, always };
struct TakeOptions {
  Copy copy = Copy::if_needed;
  bool for_writing = false;  // out=: must be writable, is never copied
  Engine* engine = nullptr;  // whose memory it must be; without one the engine that runs the work copes
};
Taken take(py::handle object, Kind kind, const Who& who, const TakeOptions& options = {});

// A new output: an array that shares its storage, or one of our classes.
py::object make_data(Operand operand, int rank, const std::shared_ptr<Engine>& engine);
py::array as_array(const Operand& operand, int rank, bool writable);
py::array array_over(const std::shared_ptr<Storage>& storage, DType dtype,
                     std::vector<py::ssize_t> shape);  // in C order
Operand allocate(Engine& engine, const Layout& layout, bool zeroed);

// Extents and strides (bytes) of an operand as an array of that rank.
struct ArrayShape {
  std::array<py::ssize_t, 4> shape{}, strides{};
  std::size_t rank = 0;
};
ArrayShape array_shape(const Layout& layout, int rank);

// The product of extents and strides must stay an address.
void require_size(std::string_view who, const Layout& layout);

// Keyword arguments of Image.empty(), CommandBuffer.temporary_image() and their like.
struct Extents {
  Layout layout;
  int rank;
};
Extents image_extents(std::string_view who, py::handle width, py::handle height, py::handle feature_channels,
                      py::handle number_of_images, py::handle channel_format);
Extents matrix_extents(std::string_view who, py::handle rows, py::handle columns, py::handle matrices, py::handle dtype,
                       py::handle row_bytes, py::handle matrix_bytes);
Extents vector_extents(std::string_view who, py::handle length, py::handle vectors, py::handle dtype,
                       py::handle vector_bytes);

}  // namespace mpskit::python
