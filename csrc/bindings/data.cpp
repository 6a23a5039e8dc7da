#include "bindings/data.hpp"

#include <array>
#include <vector>

namespace mpskit::python {
namespace {

// NumPy's descriptor objects, one per DType; made on first use and kept for good.
struct DTypeObjects {
  std::array<PyObject*, dtype_count> objects;
  DTypeObjects() {
    for (std::size_t i = 0; i < dtype_count; ++i)
      objects[i] = py::dtype(std::string(name_of(static_cast<DType>(i)))).release().ptr();
  }
};
const DTypeObjects& dtype_objects() {
  static const auto* objects = new DTypeObjects;
  return *objects;
}

std::optional<DType> known_dtype(const py::dtype& dtype) {
  switch (dtype.kind()) {
    case 'f':
      if (dtype.itemsize() == 4) return DType::f32;
      if (dtype.itemsize() == 2) return DType::f16;
      if (dtype.itemsize() == 8) return DType::f64;
      break;
    case 'u':
      if (dtype.itemsize() == 1) return DType::u8;
      if (dtype.itemsize() == 2) return DType::u16;
      if (dtype.itemsize() == 4) return DType::u32;
      break;
    case 'i':
      if (dtype.itemsize() == 1) return DType::i8;
      if (dtype.itemsize() == 2) return DType::i16;
      if (dtype.itemsize() == 4) return DType::i32;
      break;
    default: break;
  }
  return std::nullopt;
}

std::string_view shapes_of(Kind kind) {
  switch (kind) {
    case Kind::image: return "(height, width), (height, width, channels) or (images, height, width, channels)";
    case Kind::matrix: return "(rows, columns) or (matrices, rows, columns)";
    case Kind::vector: return "(length,) or (vectors, length)";
  }
  return "";
}

// Extents and strides of an array as this kind; nothing when its rank does not fit.
std::optional<Layout> layout_of(const py::array& a, Kind kind, DType dtype) {
  Layout l;
  l.kind = kind;
  l.dtype = dtype;
  const auto rank = static_cast<int>(a.ndim());
  auto fill = [&](int axis, std::size_t slot) {
    l.extent[slot] = a.shape(axis);
    l.stride[slot] = a.strides(axis);
  };
  const std::int64_t e = l.element_bytes();
  switch (kind) {
    case Kind::image:
      if (rank < 2 || rank > 4) return std::nullopt;
      l.extent = {1, 0, 0, 1};
      l.stride = {0, 0, 0, e};
      if (rank == 2) fill(0, 1), fill(1, 2);
      if (rank == 3) fill(0, 1), fill(1, 2), fill(2, 3);
      if (rank == 4) fill(0, 0), fill(1, 1), fill(2, 2), fill(3, 3);
      break;
    case Kind::matrix:
      if (rank < 2 || rank > 3) return std::nullopt;
      l.extent = {1, 0, 0, 1};
      l.stride = {0, 0, 0, e};
      if (rank == 2) fill(0, 1), fill(1, 2);
      if (rank == 3) fill(0, 0), fill(1, 1), fill(2, 2);
      break;
    case Kind::vector:
      if (rank < 1 || rank > 2) return std::nullopt;
      l.extent = {1, 0, 1, 1};
      l.stride = {0, 0, e, e};
      if (rank == 1) fill(0, 1);
      if (rank == 2) fill(0, 0), fill(1, 1);
      break;
  }
  // Strides of axes of extent 1 say nothing; give them the packed ones so that equal layouts compare equal.
  const Layout packed = l.packed();
  for (std::size_t axis = 4; axis-- > 0;) {
    if (l.extent[axis] > 1) continue;
    l.stride[axis] = axis == 3 ? packed.stride[3] : l.stride[axis + 1] * l.extent[axis + 1];
  }
  return l;
}

// Rows must be contiguous and must not run backwards or overlap; then the bytes can be used in place.
std::optional<std::string> cannot_use_in_place(const Layout& l, const void* data) {
  if (l.is_empty()) return std::nullopt;
  const Layout packed = l.packed();
  const std::size_t outer = l.kind == Kind::vector ? 0 : 1;  // innermost axis that may be padded
  for (std::size_t axis = outer + 1; axis < 4; ++axis)
    if (l.stride[axis] != packed.stride[axis]) return "its rows are not contiguous";
  for (std::size_t axis = 0; axis <= outer; ++axis) {
    const std::int64_t inner = l.stride[axis + 1] * l.extent[axis + 1];
    if (l.extent[axis] > 1 && l.stride[axis] < inner) return "its rows run backwards or overlap";
  }
  if (reinterpret_cast<std::uintptr_t>(data) % size_of(l.dtype) != 0 || l.row_bytes() % l.element_bytes() != 0)
    return "its elements are not aligned";
  return std::nullopt;
}

py::array contiguous_copy(const py::array& a, DType dtype) {
  std::vector<py::ssize_t> shape(a.shape(), a.shape() + a.ndim());
  std::size_t bytes = size_of(dtype);
  for (py::ssize_t n : shape) bytes *= static_cast<std::size_t>(n);
  auto storage = Storage::allocate(bytes, false);
  void* data = storage->data();
  auto* held = new std::shared_ptr<Storage>(std::move(storage));
  py::capsule base(held, [](void* p) { delete static_cast<std::shared_ptr<Storage>*>(p); });
  py::array out(dtype_object(dtype), shape, data, base);
  out[py::ellipsis()] = a;
  return out;
}

}  // namespace

py::dtype dtype_object(DType dtype) {
  return py::reinterpret_borrow<py::dtype>(dtype_objects().objects[static_cast<std::size_t>(dtype)]);
}

DType dtype_from(py::handle object, std::string_view who) {
  const py::dtype dtype = py::dtype::from_args(py::reinterpret_borrow<py::object>(object));
  if (const auto known = known_dtype(dtype)) return *known;
  throw TypeError(cat(who, ": dtype is ", py::cast<std::string>(py::str(dtype)),
                      "; allowed: uint8, uint16, float16, float32, int8, int16, int32, uint32, float64. Convert with astype()."));
}

Taken take(py::handle object, Kind kind, std::string_view who, Copy copy, bool writable) {
  if (py::isinstance<Data>(object)) {
    const Data& data = py::cast<const Data&>(object);
    return {data.operand, data.rank, false, false};
  }
  py::array array;
  if (py::isinstance<py::array>(object)) {
    array = py::reinterpret_borrow<py::array>(object);
  } else if (py::hasattr(object, "__dlpack__")) {
    array = py::module_::import("numpy").attr("from_dlpack")(object);
  } else if (PyObject_CheckBuffer(object.ptr())) {
    array = py::module_::import("numpy").attr("asarray")(object);
  } else {
    throw TypeError(cat(who, " is a ", type_name(object), "; allowed: a NumPy array of shape ", shapes_of(kind), ", or mps.",
                        kind == Kind::image ? "Image" : kind == Kind::matrix ? "Matrix" : "Vector",
                        ". Convert it with numpy.asarray()."));
  }
  const py::dtype dtype = array.dtype();
  const auto known = known_dtype(dtype);
  if (!known || dtype.byteorder() == '>')
    throw TypeError(cat(who, " has dtype ", py::cast<std::string>(py::str(dtype)),
                        "; allowed: native-endian uint8, uint16, float16, float32 and, for matrices, int8 and int16. Convert it with astype()."));
  auto layout = layout_of(array, kind, *known);
  if (!layout)
    throw ValueError(cat(who, " has shape ", py::cast<std::string>(py::str(array.attr("shape"))), "; allowed: ", shapes_of(kind), "."));
  if (writable && !array.writeable())
    throw ValueError(cat(who, " is read-only; allowed: writable memory. Pass a writable array."));

  const auto reason = cannot_use_in_place(*layout, array.data());
  bool copied = copy == Copy::always;
  if (reason) {
    if (copy == Copy::never || writable)
      throw ValueError(cat(who, " cannot be used without a copy: ", *reason, ". Pass numpy.ascontiguousarray(it)",
                           writable ? "." : ", or allow the copy."));
    copied = true;
  }
  if (copied) {
    array = contiguous_copy(array, *known);
    layout = layout_of(array, kind, *known);
  }
  const int rank = static_cast<int>(array.ndim());
  void* data = const_cast<void*>(array.data());
  const bool can_write = array.writeable();
  auto storage = Storage::adopt(data, static_cast<std::size_t>(layout->span_bytes()), can_write, keep(std::move(array)));
  return {Operand{*layout, std::move(storage), 0, nullptr}, rank, true, copied};
}

Operand allocate(Engine& engine, const Layout& layout, bool zeroed) {
  return Operand{layout, engine.allocate(static_cast<std::size_t>(layout.span_bytes()), zeroed), 0, nullptr};
}

py::array as_array(const Operand& operand, int rank) {
  const Layout& l = operand.layout;
  std::array<py::ssize_t, 4> shape{}, strides{};
  auto put = [&](int axis, std::size_t slot) {
    shape[static_cast<std::size_t>(axis)] = l.extent[slot];
    strides[static_cast<std::size_t>(axis)] = l.stride[slot];
  };
  const std::size_t last = l.kind == Kind::image ? 3 : l.kind == Kind::matrix ? 2 : 1;
  // A gray picture (height, width) drops the channel axis; every other rank drops leading axes only.
  const bool drops_channel = l.kind == Kind::image && rank == 2 && l.channels() == 1;
  const std::size_t end = drops_channel ? 2 : last;
  if (l.kind == Kind::image && rank == 2 && !drops_channel) rank = 3;
  for (int axis = rank; axis-- > 0;) put(axis, end - static_cast<std::size_t>(rank - 1 - axis));
  auto* held = new std::shared_ptr<Storage>(operand.storage);
  py::capsule base(held, [](void* p) { delete static_cast<std::shared_ptr<Storage>*>(p); });
  const auto r = static_cast<std::size_t>(rank);
  py::array out(dtype_object(l.dtype), std::vector<py::ssize_t>(shape.begin(), shape.begin() + r),
                std::vector<py::ssize_t>(strides.begin(), strides.begin() + r), operand.data(), base);
  if (!operand.storage->is_writable()) out.attr("setflags")(py::arg("write") = false);
  return out;
}

py::object make_output(Operand operand, int rank, bool array, const std::shared_ptr<Engine>& engine) {
  if (array) return as_array(operand, rank);
  const Data data{std::move(operand), rank, true, engine};
  switch (data.operand.layout.kind) {
    case Kind::image: return py::cast(Image{data});
    case Kind::matrix: return py::cast(Matrix{data});
    case Kind::vector: return py::cast(Vector{data});
  }
  return py::none();
}

void bind_data(py::module_& m) {
  py::class_<Data>(m, "_Data")
      .def_property_readonly("is_shared", [](const Data& d) { return d.is_shared; });
  py::class_<Image, Data>(m, "Image");
  py::class_<Matrix, Data>(m, "Matrix");
  py::class_<Vector, Data>(m, "Vector");
}

}  // namespace mpskit::python
