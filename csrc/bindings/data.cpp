#include "bindings/data.hpp"

#include <array>
#include <limits>
#include <vector>

#include "bindings/convert.hpp"
#include "bindings/dlpack.hpp"

namespace mpskit::python {
namespace {

constexpr const char* storage_capsule = "mpskit.storage";

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
  if (dtype.byteorder() == '>') return std::nullopt;
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
    default:
      break;
  }
  return std::nullopt;
}
constexpr std::string_view dtypes_known = "uint8, uint16, float16, float32, int8, int16, int32, uint32, float64";

std::string_view shapes_of(Kind kind) {
  switch (kind) {
    case Kind::image:
      return "(height, width), (height, width, channels) or (images, height, width, channels)";
    case Kind::matrix:
      return "(rows, columns) or (matrices, rows, columns)";
    case Kind::vector:
      return "(length,) or (vectors, length)";
  }
  return "";
}

// The slots of Layout::extent that the axes of an array of this rank stand for, outermost first. Nothing when the rank
// does not fit.
std::optional<std::size_t> first_slot(Kind kind, std::size_t rank) {
  const auto full = static_cast<std::size_t>(full_rank(kind));
  if (kind == Kind::image && rank == 2) return 1;  // a gray picture: no axis of channels
  if (rank > full || rank + 1 < full) return std::nullopt;
  return full - rank;
}

std::optional<Layout> layout_of(const py::array& a, Kind kind, DType dtype) {
  const auto rank = static_cast<std::size_t>(a.ndim());
  const auto first = first_slot(kind, rank);
  if (!first) return std::nullopt;
  Layout l{kind, dtype, {1, 1, 1, 1}, {}};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    l.extent[*first + axis] = a.shape(static_cast<py::ssize_t>(axis));
    l.stride[*first + axis] = a.strides(static_cast<py::ssize_t>(axis));
  }
  // Strides of axes of extent 1 say nothing; give them the packed ones so that equal layouts compare equal.
  for (std::size_t axis = 4; axis-- > 0;) {
    if (l.extent[axis] > 1) continue;
    l.stride[axis] = axis == 3 ? l.element_bytes() : l.stride[axis + 1] * l.extent[axis + 1];
  }
  return l.is_empty() ? l.packed() : l;
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

py::capsule capsule_of(const std::shared_ptr<Storage>& storage) {
  return py::capsule(new std::shared_ptr<Storage>(storage), storage_capsule, [](PyObject* c) {
    delete static_cast<std::shared_ptr<Storage>*>(PyCapsule_GetPointer(c, storage_capsule));
  });
}

// Our own storage behind an array and its views, found again: a device keeps its view of it there.
const std::shared_ptr<Storage>* storage_behind(const py::array& a) {
  PyObject* base = py::detail::array_proxy(a.ptr())->base;
  for (int depth = 0; base && depth < 8; ++depth) {
    if (PyCapsule_CheckExact(base))
      return PyCapsule_IsValid(base, storage_capsule)
                 ? static_cast<const std::shared_ptr<Storage>*>(PyCapsule_GetPointer(base, storage_capsule))
                 : nullptr;
    if (PyMemoryView_Check(base)) {
      base = PyMemoryView_GET_BUFFER(base)->obj;  // np.asarray(image) takes the buffer protocol
      if (const Data* data = base ? object_of<Data>(base) : nullptr) return &data->operand.storage;
    } else if (py::isinstance<py::array>(base)) {
      base = py::detail::array_proxy(base)->base;
    } else {
      return nullptr;
    }
  }
  return nullptr;
}

Operand adopt(py::array array, const Layout& layout) {
  auto* data = static_cast<std::byte*>(const_cast<void*>(array.data()));
  const std::int64_t bytes = layout.span_bytes();
  if (const std::shared_ptr<Storage>* behind = storage_behind(array); behind && *behind && bytes > 0) {
    const Storage& s = **behind;
    if (data >= s.data() && data + bytes <= s.data() + s.size())
      return Operand{layout, *behind, data - s.data(), nullptr};
  }
  const bool can_write = array.writeable();
  return Operand{layout, Storage::adopt(data, static_cast<std::size_t>(bytes), can_write, keep(std::move(array))), 0,
                 nullptr};
}

struct Found {
  py::array array;
  bool copied = false;
};

// NumPy's view of anything that is an array.
std::string text(const Who& who) {
  return who.operand.empty() ? std::string(who.kernel) : cat(who.kernel, ": ", who.operand);
}

Found array_of(py::handle object, Kind kind, const Who& who, const TakeOptions& options) {
  const bool may_copy = !options.for_writing && options.copy != Copy::never;
  if (py::hasattr(object, "__dlpack__")) {
    auto [array, copied] = dlpack::import_tensor(object, may_copy);
    return {std::move(array), copied};
  }
  if (PyObject_CheckBuffer(object.ptr())) return {py::module_::import("numpy").attr("asarray")(object)};
  if (py::hasattr(object, "__array__") || py::hasattr(object, "__array_interface__")) {
    const py::array array = py::module_::import("numpy").attr("asarray")(object);
    // Nobody can tell whether such an object lends its memory or makes new: say what is sure.
    const bool lent = py::hasattr(object, "__array_interface__") &&
                      !py::isinstance<py::bytes>(object.attr("__array_interface__")["data"]);
    if (!lent && !may_copy)
      throw ValueError(cat(text(who), " cannot be used without a copy: ", type_name(object),
                           " has no buffer, only __array__. Allow the copy, or pass an array."));
    return {array, !lent};
  }
  throw TypeError(cat(text(who), " is a ", type_name(object), "; allowed: an array of shape ", shapes_of(kind),
                      ", or mps.", class_of(kind), ". ", options.for_writing ? "Pass one to write into." : "Convert it with numpy.asarray()."));
}

void copy_into(const Operand& target, int rank, const py::array& source) {
  as_array(target, rank, true)[py::ellipsis()] = source;
}

Taken take_array(Found found, Kind kind, const Who& who, const TakeOptions& options) {
  py::array& array = found.array;
  if (array.dtype().kind() == 'V' && array.dtype().equal(keypoint_dtype())) array = array.view("u4");
  const py::dtype dtype = array.dtype();
  const auto known = known_dtype(dtype);
  if (!known || (kind == Kind::image && options.engine && !image_dtypes.contains(*known)))
    throw TypeError(cat(text(who), " has dtype ", py::cast<std::string>(py::str(dtype)), "; allowed: ",
                        kind == Kind::image ? std::string_view("uint8, uint16, float16, float32") : dtypes_known,
                        ", native-endian. Convert it with astype()."));
  const auto layout = layout_of(array, kind, *known);
  if (!layout)
    throw ValueError(cat(text(who), " has shape ", py::cast<std::string>(py::str(array.attr("shape"))),
                         "; allowed: ", shapes_of(kind), "."));
  if (options.for_writing && !array.writeable())
    throw ValueError(cat(text(who), " is read-only; allowed: writable memory. Pass a writable array."));

  const int rank = static_cast<int>(array.ndim());
  auto reason = cannot_use_in_place(*layout, array.data());
  if (reason && options.for_writing)
    throw ValueError(cat(text(who), " cannot be written in place: ", *reason,
                         "; allowed: rows of contiguous elements. Pass an array in C order."));
  if (!reason && options.copy != Copy::always) {
    const bool writable = array.writeable();
    Operand operand = adopt(std::move(array), *layout);
    if (options.engine && !layout->is_empty())
      reason = options.engine->cannot_share(operand.storage->data(), operand.storage->size(), writable);
    if (!reason) return {std::move(operand), rank, true, found.copied, writable, nullptr};
    array = as_array(operand, rank, writable);
  }
  if (reason && options.copy == Copy::never)
    throw ValueError(cat(text(who), " cannot be used without a copy: ", *reason,
                         ". Allow the copy, or make the array with mps.empty()."));
  const Layout packed = layout->packed();
  Operand operand =
      options.engine
          ? allocate(*options.engine, packed, false)
          : Operand{packed, Storage::allocate(static_cast<std::size_t>(packed.span_bytes()), false), 0, nullptr};
  copy_into(operand, rank, array);
  return {std::move(operand), rank, true, true, true, nullptr};
}

}  // namespace

std::string_view class_of(Kind kind) {
  return kind == Kind::image ? "Image" : kind == Kind::matrix ? "Matrix" : "Vector";
}
int full_rank(Kind kind) { return kind == Kind::image ? 4 : kind == Kind::matrix ? 3 : 2; }

py::dtype dtype_object(DType dtype) {
  return py::reinterpret_borrow<py::dtype>(dtype_objects().objects[static_cast<std::size_t>(dtype)]);
}

py::dtype record_dtype(const Record& record) {
  py::list names, formats, offsets;
  for (const Record::Part& part : record.parts) {
    names.append(std::string(part.field));
    formats.append(std::string(part.format));
    offsets.append(part.offset);
  }
  return py::dtype(names, formats, offsets, static_cast<py::ssize_t>(record.bytes));
}

py::dtype keypoint_dtype() {
  constexpr std::array parts{Record::Part{"x", "u2", 0}, Record::Part{"y", "u2", 2}, Record::Part{"value", "f4", 4}};
  return record_dtype({"", "KeypointData", 8, parts});
}

DType dtype_from(py::handle object, std::string_view who) {
  py::dtype dtype = [&] {
    try {
      return py::dtype::from_args(py::reinterpret_borrow<py::object>(object));
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_TypeError)) throw;
      throw TypeError(cat(who, ": dtype is ", text_of(object), "; allowed: ", dtypes_known, "."));
    }
  }();
  if (const auto known = known_dtype(dtype)) return *known;
  throw TypeError(cat(who, ": dtype is ", py::cast<std::string>(py::str(dtype)), "; allowed: ", dtypes_known,
                      ". Convert with astype()."));
}

Taken take(py::handle object, Kind kind, const Who& who, const TakeOptions& options) {
  if (const Data* data = object_of<Data>(object)) {
    if (options.for_writing && !data->is_writable)
      throw ValueError(cat(text(who), " is read-only; allowed: writable memory. Pass a writable one."));
    return {data->operand, data->rank, false, !data->is_shared, data->is_writable, data->engine};
  }
  if (py::isinstance<py::array>(object))
    return take_array({py::reinterpret_borrow<py::array>(object)}, kind, who, options);
  return take_array(array_of(object, kind, who, options), kind, who, options);
}

Operand allocate(Engine& engine, const Layout& layout, bool zeroed) {
  return Operand{layout, engine.allocate(static_cast<std::size_t>(layout.span_bytes()), zeroed), 0, nullptr};
}

ArrayShape array_shape(const Layout& l, int rank) {
  ArrayShape out;
  out.rank = static_cast<std::size_t>(rank);
  const std::size_t first = *first_slot(l.kind, out.rank);
  for (std::size_t axis = 0; axis < out.rank; ++axis) {
    out.shape[axis] = l.extent[first + axis];
    out.strides[axis] = l.stride[first + axis];
  }
  return out;
}

py::array as_array(const Operand& operand, int rank, bool writable) {
  const ArrayShape s = array_shape(operand.layout, rank);
  py::array out(dtype_object(operand.layout.dtype), std::vector<py::ssize_t>(s.shape.begin(), s.shape.begin() + s.rank),
                std::vector<py::ssize_t>(s.strides.begin(), s.strides.begin() + s.rank), operand.data(),
                capsule_of(operand.storage));
  if (!writable) py::detail::array_proxy(out.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return out;
}

py::array array_over(const std::shared_ptr<Storage>& storage, DType dtype, std::vector<py::ssize_t> shape) {
  return py::array(dtype_object(dtype), std::move(shape), {}, storage->data(), capsule_of(storage));
}

py::object make_data(Operand operand, int rank, const std::shared_ptr<Engine>& engine) {
  const bool is_temporary = operand.temporary != nullptr;
  Data data{std::move(operand), rank, true, true, engine};
  switch (data.operand.layout.kind) {
    case Kind::image:
      return is_temporary ? py::cast(TemporaryImage{{std::move(data)}}) : py::cast(Image{std::move(data)});
    case Kind::matrix:
      return is_temporary ? py::cast(TemporaryMatrix{{std::move(data)}}) : py::cast(Matrix{std::move(data)});
    case Kind::vector:
      return is_temporary ? py::cast(TemporaryVector{{std::move(data)}}) : py::cast(Vector{std::move(data)});
  }
  return py::none();
}

namespace {

std::int64_t extent(std::string_view who, std::string_view name, py::handle value) {
  return to_int(value, Where{who, name, Range{.min = 0, .max = static_cast<double>(largest_extent)}, ""});
}

// A stride that the caller chose, or the packed one.
std::int64_t stride(std::string_view who, std::string_view name, py::handle value, std::int64_t least,
                    std::int64_t multiple_of, std::string_view of) {
  if (value.is_none()) return least;
  const std::int64_t n = extent(who, name, value);
  if (n < least || n % multiple_of != 0)
    throw ValueError(cat(who, ": ", name, " is ", n, "; allowed: a multiple of ", multiple_of, " (", of, ") from ",
                         least, ". Omit it for ", least, "."));
  return n;
}

}  // namespace

void require_size(std::string_view who, const Layout& l) {
  double bytes = static_cast<double>(l.element_bytes());
  for (std::size_t axis = 0; axis < 4; ++axis) bytes *= static_cast<double>(std::max<std::int64_t>(l.extent[axis], 1));
  double span = 0;
  for (std::size_t axis = 0; axis < 4; ++axis)
    span += static_cast<double>(l.extent[axis]) * static_cast<double>(l.stride[axis]);
  if (bytes > 0x1p60 || span > 0x1p60)
    throw ValueError(cat(who, ": ", l.describe(), " is too large; allowed: up to 2**60 bytes. Make several."));
}

Extents image_extents(std::string_view who, py::handle width, py::handle height, py::handle feature_channels,
                      py::handle number_of_images, py::handle channel_format) {
  static constexpr std::array<std::string_view, 4> formats{"unorm8", "unorm16", "float16", "float32"};
  static constexpr std::array<DType, 4> dtypes{DType::u8, DType::u16, DType::f16, DType::f32};
  const DType dtype = dtypes[to_enum(channel_format, Where{who, "channel_format", {}, ""}, formats)];
  const bool batch = !number_of_images.is_none(), channels = !feature_channels.is_none();
  Layout l{Kind::image,
           dtype,
           {batch ? extent(who, "number_of_images", number_of_images) : 1, extent(who, "height", height),
            extent(who, "width", width), channels ? extent(who, "feature_channels", feature_channels) : 1},
           {}};
  require_size(who, l);
  return {l.packed(), batch ? 4 : channels ? 3 : 2};
}

Extents matrix_extents(std::string_view who, py::handle rows, py::handle columns, py::handle matrices, py::handle dtype,
                       py::handle row_bytes, py::handle matrix_bytes) {
  const bool batch = !matrices.is_none();
  Layout l = Layout{
      Kind::matrix,
      dtype_from(dtype, who),
      {batch ? extent(who, "matrices", matrices) : 1, extent(who, "rows", rows), extent(who, "columns", columns), 1},
      {}};
  require_size(who, l);
  l = l.packed();
  l.stride[1] = stride(who, "row_bytes", row_bytes, l.stride[1], l.element_bytes(), "the element size");
  l.stride[0] = l.rows() * l.stride[1];
  l.stride[0] =
      stride(who, "matrix_bytes", matrix_bytes, l.stride[0], std::max<std::int64_t>(l.stride[1], 1), "row_bytes");
  require_size(who, l);
  return {l, batch ? 3 : 2};
}

Extents vector_extents(std::string_view who, py::handle length, py::handle vectors, py::handle dtype,
                       py::handle vector_bytes) {
  const bool batch = !vectors.is_none();
  Layout l = Layout{Kind::vector,
                    dtype_from(dtype, who),
                    {batch ? extent(who, "vectors", vectors) : 1, extent(who, "length", length), 1, 1},
                    {}};
  require_size(who, l);
  l = l.packed();
  l.stride[0] = stride(who, "vector_bytes", vector_bytes, l.stride[0], l.element_bytes(), "the element size");
  require_size(who, l);
  return {l, batch ? 2 : 1};
}

}  // namespace mpskit::python
