#include "bindings/convert.hpp"
#include "bindings/data.hpp"
#include "bindings/devices.hpp"
#include "bindings/dlpack.hpp"

// mps.Image, mps.Matrix, mps.Vector, their temporaries, and arrays that every engine shares.
namespace mpskit::python {
namespace {

constexpr const char* no_bytes =
    " is a temporary of a command buffer: its bytes exist only while the device works. Encode with temporary=False, "
    "or pass out=, for a result that can be read.";

const Data& stored(const Data& data) {
  if (data.is_temporary())
    throw ValueError(cat(class_of(data.operand.layout.kind), ": ", data.operand.layout.describe(), no_bytes));
  return data;
}

py::array array_of(const Data& data) { return as_array(stored(data).operand, data.rank, data.is_writable); }

py::tuple shape_of(const Data& data) {
  const ArrayShape s = array_shape(data.operand.layout, data.rank);
  py::tuple out(s.rank);
  for (std::size_t i = 0; i < s.rank; ++i) out[i] = s.shape[i];
  return out;
}

Copy copy_from(py::handle copy, std::string_view who) {
  if (copy.is_none()) return Copy::if_needed;
  if (!PyBool_Check(copy.ptr()))
    throw TypeError(
        cat(who, ": copy is ", text_of(copy), "; allowed: None (when needed), True (always), False (never)."));
  return copy.ptr() == Py_True ? Copy::always : Copy::never;
}

template <class T, Kind kind>
T from_array(py::handle object, py::handle copy, py::handle device) {
  const std::string_view who = class_of(kind);
  TakeOptions options{.copy = copy_from(copy, who)};
  std::shared_ptr<Engine> engine = device.is_none() ? nullptr : engine_from(device, who);
  if (py::isinstance<Data>(object)) {
    const Data& source = stored(py::cast<const Data&>(object));
    if (!engine) engine = source.engine;
    options.engine = engine.get();
    // Through its array: another kind of container, another device or a copy are then no special case.
    Taken t = take(array_of(source), kind, Who{who, "array"}, options);
    return T{{std::move(t.operand), t.rank, !t.copied, t.is_writable, std::move(engine)}};
  }
  if (!engine) engine = current_engine();
  options.engine = engine.get();
  Taken t = take(object, kind, Who{who, "array"}, options);
  return T{{std::move(t.operand), t.rank, !t.copied, t.is_writable, std::move(engine)}};
}

template <class T>
T fresh(const Extents& e, py::handle device, std::string_view who, bool zeroed) {
  std::shared_ptr<Engine> engine = device.is_none() ? current_engine() : engine_from(device, who);
  return T{{allocate(*engine, e.layout, zeroed), e.rank, true, true, engine}};
}

py::array fresh_array(const py::object& shape, const py::object& dtype, const py::object& device, std::string_view who,
                      bool zeroed) {
  const Where where{who, "shape", Range{.min = 0, .max = 0x1p60}, ""};
  std::vector<py::ssize_t> extents;
  if (PyIndex_Check(shape.ptr())) {
    extents.push_back(to_int(shape, where));
  } else {
    if (!py::isinstance<py::sequence>(shape) || py::isinstance<py::str>(shape))
      refuse_type(where, shape, "an integer or a tuple of them", "Pass a tuple.");
    for (py::handle n : py::reinterpret_borrow<py::sequence>(shape)) extents.push_back(to_int(n, where));
  }
  if (extents.size() > 32) refuse_value(where, shape, "up to 32 dimensions", "Use fewer.");
  const DType type = dtype_from(dtype, who);
  double bytes = static_cast<double>(size_of(type));
  for (py::ssize_t n : extents) bytes *= static_cast<double>(n);
  if (bytes > 0x1p60) refuse_value(where, shape, "arrays of up to 2**60 bytes", "Make several.");
  const std::shared_ptr<Engine> engine = device.is_none() ? current_engine() : engine_from(device, who);
  return array_over(engine->allocate(static_cast<std::size_t>(bytes), zeroed), type, std::move(extents));
}

std::string represent(const Data& d) {
  const Layout& l = d.operand.layout;
  std::string out = cat(d.is_temporary() ? "Temporary" : "", class_of(l.kind), "(");
  if (l.kind == Kind::image) {
    out += cat("width=", l.width(), ", height=", l.height());
    if (d.rank > 2) out += cat(", feature_channels=", l.channels());
    if (d.rank > 3) out += cat(", number_of_images=", l.images());
    out += cat(", channel_format='", channel_format_of(l.dtype), "'");
  } else if (l.kind == Kind::matrix) {
    out += cat("rows=", l.rows(), ", columns=", l.columns());
    if (d.rank > 2) out += cat(", matrices=", l.matrices());
    out += cat(", dtype='", name_of(l.dtype), "'");
    if (!l.is_empty() && l.row_bytes() != l.columns() * l.element_bytes()) out += cat(", row_bytes=", l.row_bytes());
  } else {
    out += cat("length=", l.length());
    if (d.rank > 1) out += cat(", vectors=", l.vectors());
    out += cat(", dtype='", name_of(l.dtype), "'");
  }
  return cat(out, ", device='", d.engine->name(), "')");
}

// A stride for rows that kernels read side by side: whole registers of 16 bytes, and no multiple of 4 KiB, for rows
// that far apart fall into the same few cache lines and push each other out.
std::int64_t recommended_stride(std::int64_t elements, DType dtype) {
  std::int64_t bytes = (elements * static_cast<std::int64_t>(size_of(dtype)) + 15) / 16 * 16;
  if (bytes > 0 && bytes % 4096 == 0) bytes += 64;
  return bytes;
}

template <class T>
void bind_common(py::class_<T, Data>& cls) {
  cls.def_buffer([](const T& d) {
    const ArrayShape s = array_shape(stored(d).operand.layout, d.rank);
    const DType dtype = d.operand.layout.dtype;
    return py::buffer_info(d.operand.data(), static_cast<py::ssize_t>(size_of(dtype)),
                           std::string(1, dtype_object(dtype).char_()), static_cast<py::ssize_t>(s.rank),
                           std::vector<py::ssize_t>(s.shape.begin(), s.shape.begin() + s.rank),
                           std::vector<py::ssize_t>(s.strides.begin(), s.strides.begin() + s.rank), !d.is_writable);
  });
}

}  // namespace

void bind_data(py::module_& m) {
  const py::none none;
  py::class_<Data> data(m, "_Data", "What images, matrices and vectors have in common.");
  data.def_property_readonly("shape", &shape_of, "Extents, as of the array that it shows.")
      .def_property_readonly(
          "ndim", [](const Data& d) { return d.rank; }, "Number of dimensions.")
      .def_property_readonly(
          "dtype", [](const Data& d) { return dtype_object(d.operand.layout.dtype); }, "NumPy's dtype of the elements.")
      .def_property_readonly(
          "nbytes", [](const Data& d) { return d.operand.layout.elements() * d.operand.layout.element_bytes(); },
          "Bytes of all elements, padding between rows not counted.")
      .def_property_readonly(
          "device", [](const Data& d) { return Device{d.engine}; },
          "The device that works on it unless another is asked for.")
      .def_property_readonly(
          "is_shared", [](const Data& d) { return d.is_shared; },
          "False when the bytes were copied from the array that it was made from.")
      .def_property_readonly(
          "is_temporary", [](const Data& d) { return d.is_temporary(); }, "True when it ends with its command buffer.")
      .def_property_readonly(
          "is_writable", [](const Data& d) { return d.is_writable; }, "False for read-only memory.")
      .def(
          "__array__",
          [](const Data& d, const py::object& dtype, const py::object& copy) -> py::object {
            const Copy how = copy_from(copy, "__array__");
            py::array array = array_of(d);
            if (!dtype.is_none() && !array.dtype().equal(py::dtype::from_args(dtype))) {
              if (how == Copy::never)
                throw ValueError(cat("__array__: ", name_of(d.operand.layout.dtype), " as ", text_of(dtype),
                                     " needs a copy; allowed by copy=False: none. Pass copy=None."));
              return array.attr("astype")(dtype);
            }
            return how == Copy::always ? array.attr("copy")() : py::object(std::move(array));
          },
          py::arg("dtype") = none, py::arg("copy") = none, "A NumPy array that shares the bytes.")
      .def("__dlpack__", &dlpack::export_data, py::kw_only(), py::arg("stream") = none, py::arg("max_version") = none,
           py::arg("dl_device") = none, py::arg("copy") = none, "A DLPack capsule that shares the bytes.")
      .def("__dlpack_device__", &dlpack::device_of, "(1, 0) for the CPU engine, (8, index) for Metal.")
      .def("__len__", [](const Data& d) { return array_shape(d.operand.layout, d.rank).shape[0]; })
      .def("__repr__", &represent)
      .def("__copy__", [](const py::object& self) { return self; })
      .def("__reduce__", [](const py::object& self) {
        const auto& d = py::cast<const Data&>(self);
        return py::make_tuple(py::type::of(self), py::make_tuple(array_of(d)));
      });

  auto of_image = [](auto get) { return [get](const Image& i) { return get(i.operand.layout); }; };
  py::class_<Image, Data> image(m, "Image", py::buffer_protocol(),
                                R"(A picture, or a batch of pictures of one size (MPSImage).

Channels come last and rows are contiguous. uint8 holds unorm8 and uint16 unorm16: code / 255 and code / 65535.

Parameters
----------
array : array
    Shape (height, width), (height, width, channels) or (images, height, width, channels); uint8, uint16, float16 or float32.
    NumPy, DLPack (PyTorch, JAX, MLX), the buffer protocol, or another Image.
copy : bool, optional
    None shares the bytes when it can and copies otherwise, and `is_shared` says which; True copies; False raises rather
    than copy.
device : str or mps.Device, optional
    Which device works on it; the current one when omitted.

Raises
------
ValueError
    The shape is no image's, or copy=False and the bytes cannot be shared; the text names the reason.
TypeError
    No array, or elements that no image has.)");
  image
      .def(py::init(&from_array<Image, Kind::image>), py::arg("array"), py::kw_only(), py::arg("copy") = none,
           py::arg("device") = none)
      .def_static(
          "empty",
          [](py::handle width, py::handle height, py::handle channels, py::handle images, py::handle format,
             py::handle device) {
            return fresh<Image>(image_extents("Image.empty", width, height, channels, images, format), device,
                                "Image.empty", false);
          },
          py::kw_only(), py::arg("width") = none, py::arg("height") = none, py::arg("feature_channels") = none,
          py::arg("number_of_images") = none, py::arg("channel_format") = "unorm8", py::arg("device") = none,
          R"(An image with undefined contents, in memory that every engine shares.

Its shape has an axis for channels when `feature_channels` is given, and one for images when `number_of_images` is.)")
      .def_static(
          "zeros",
          [](py::handle width, py::handle height, py::handle channels, py::handle images, py::handle format,
             py::handle device) {
            return fresh<Image>(image_extents("Image.zeros", width, height, channels, images, format), device,
                                "Image.zeros", true);
          },
          py::kw_only(), py::arg("width") = none, py::arg("height") = none, py::arg("feature_channels") = none,
          py::arg("number_of_images") = none, py::arg("channel_format") = "unorm8", py::arg("device") = none,
          "The same as `empty`, all zeros.")
      .def_static(
          "open",
          [](const py::object& path, const py::object& device) {
            const py::object picture = py::module_::import("mpskit.io").attr("load")(path);
            return from_array<Image, Kind::image>(picture.attr("array"), py::none(), device);
          },
          py::arg("path"), py::kw_only(), py::arg("device") = none,
          R"(Decode a JPEG, PNG, TIFF or WebP file, upright whatever its EXIF orientation.

8 bits become unorm8, 16-bit gray unorm16, floating-point TIFF float32; gray, RGB and RGBA stay what they are. `mpskit.io.load`
says what becomes of other files, and gives their colour profile and EXIF data too. Needs Pillow: pip install 'mpskit[io]'.

Raises
------
ValueError
    The file is broken, or an image cannot hold all of it: several pages, 16 bits of colour.
OSError
    The file cannot be read.)")
      .def(
          "save",
          [](const Image& i, const py::object& path, const py::kwargs& options) {
            py::module_::import("mpskit.io").attr("save")(path, array_of(i), **options);
          },
          py::arg("path"),
          R"(Encode into a JPEG, PNG, TIFF or WebP file, whole under its name or not at all. An existing file is kept unless force=True.

unorm8 goes into every format as gray, RGB or RGBA (JPEG has no alpha), unorm16 gray into PNG and TIFF, float32 gray into
TIFF; nothing is converted. Needs Pillow: pip install 'mpskit[io]'.

Parameters
----------
path : str or path
    Where to; the suffix chooses the format unless `format` does.
format : str, optional
    "jpeg", "png", "tiff" or "webp".
quality : int
    Of JPEG and WebP, 1 to 100; 90 when omitted.
force : bool
    True replaces an existing file.

Raises
------
FileExistsError
    The file exists and `force` is not True.
ValueError
    The format cannot hold the image: a batch, two channels, deep colour; the text names the way out.)")
      .def("_repr_png_",
           [](const Image& i) -> py::object {
             if (i.is_temporary()) return py::none();
             return py::module_::import("mpskit.io").attr("preview")(array_of(i));
           })
      .def_property_readonly("width", of_image([](const Layout& l) { return l.width(); }), "Pixels in a row.")
      .def_property_readonly("height", of_image([](const Layout& l) { return l.height(); }), "Rows.")
      .def_property_readonly("feature_channels", of_image([](const Layout& l) { return l.channels(); }),
                             "Channels of a pixel.")
      .def_property_readonly("number_of_images", of_image([](const Layout& l) { return l.images(); }),
                             "Pictures in the batch.")
      .def_property_readonly("channel_format",
                             of_image([](const Layout& l) { return std::string(channel_format_of(l.dtype)); }),
                             "'unorm8', 'unorm16', 'float16' or 'float32'.")
      .def_property_readonly("row_bytes", of_image([](const Layout& l) { return l.row_bytes(); }),
                             "Bytes from one row to the next.")
      .def_property_readonly("image_bytes", of_image([](const Layout& l) { return l.image_bytes(); }),
                             "Bytes from one picture to the next.");
  bind_common(image);

  auto of_matrix = [](auto get) { return [get](const Matrix& i) { return get(i.operand.layout); }; };
  py::class_<Matrix, Data> matrix(m, "Matrix", py::buffer_protocol(),
                                  R"(A matrix in rows, or a batch of matrices of one size (MPSMatrix).

Element (i, j) of matrix k lies k * matrix_bytes + i * row_bytes + j * size bytes behind the first.

Parameters
----------
array : array
    Shape (rows, columns) or (matrices, rows, columns). NumPy, DLPack, the buffer protocol, or another Matrix.
copy : bool, optional
    None shares the bytes when it can and copies otherwise, and `is_shared` says which; True copies; False raises rather
    than copy.
device : str or mps.Device, optional
    Which device works on it; the current one when omitted.

Raises
------
ValueError
    The shape is no matrix's, or copy=False and the bytes cannot be shared; the text names the reason.
TypeError
    No array, or elements that no kernel knows.)");
  auto matrix_of = [](std::string_view who, bool zeroed) {
    return [who, zeroed](py::handle rows, py::handle columns, py::handle matrices, py::handle dtype,
                         py::handle row_bytes, py::handle matrix_bytes, py::handle device) {
      return fresh<Matrix>(matrix_extents(who, rows, columns, matrices, dtype, row_bytes, matrix_bytes), device, who,
                           zeroed);
    };
  };
  matrix
      .def(py::init(&from_array<Matrix, Kind::matrix>), py::arg("array"), py::kw_only(), py::arg("copy") = none,
           py::arg("device") = none)
      .def_static("empty", matrix_of("Matrix.empty", false), py::kw_only(), py::arg("rows") = none, py::arg("columns") = none,
                  py::arg("matrices") = none, py::arg("dtype") = "float32", py::arg("row_bytes") = none,
                  py::arg("matrix_bytes") = none, py::arg("device") = none,
                  R"(A matrix with undefined contents, in memory that every engine shares.

Its shape has an axis for matrices when `matrices` is given. Rows follow each other without padding unless `row_bytes` says
otherwise; `row_bytes_for_columns` gives a stride that suits the hardware.)")
      .def_static("zeros", matrix_of("Matrix.zeros", true), py::kw_only(), py::arg("rows") = none, py::arg("columns") = none,
                  py::arg("matrices") = none, py::arg("dtype") = "float32", py::arg("row_bytes") = none,
                  py::arg("matrix_bytes") = none, py::arg("device") = none, "The same as `empty`, all zeros.")
      .def_static(
          "row_bytes_for_columns",
          [](py::handle columns, py::handle dtype) {
            return recommended_stride(
                to_int(columns, Where{"Matrix.row_bytes_for_columns", "columns", Range{.min = 0, .max = 0x1p40}, ""}),
                dtype_from(dtype, "Matrix.row_bytes_for_columns"));
          },
          py::arg("columns"), py::arg("dtype"),
          "A good stride of rows: a multiple of 16 bytes, and none of 4096 (64 more), whose rows would share cache "
          "lines. Advice; any stride works.")
      .def_property_readonly("rows", of_matrix([](const Layout& l) { return l.rows(); }), "Rows.")
      .def_property_readonly("columns", of_matrix([](const Layout& l) { return l.columns(); }), "Columns.")
      .def_property_readonly("matrices", of_matrix([](const Layout& l) { return l.matrices(); }),
                             "Matrices in the batch.")
      .def_property_readonly("row_bytes", of_matrix([](const Layout& l) { return l.row_bytes(); }),
                             "Bytes from one row to the next.")
      .def_property_readonly("matrix_bytes", of_matrix([](const Layout& l) { return l.matrix_bytes(); }),
                             "Bytes from one matrix to the next.")
      .def_property_readonly("data_type", of_matrix([](const Layout& l) { return std::string(name_of(l.dtype)); }),
                             "Name of the elements' type.");
  bind_common(matrix);

  auto of_vector = [](auto get) { return [get](const Vector& i) { return get(i.operand.layout); }; };
  py::class_<Vector, Data> vector(m, "Vector", py::buffer_protocol(),
                                  R"(A vector, or a batch of vectors of one length (MPSVector). Elements are contiguous.

Parameters
----------
array : array
    Shape (length,) or (vectors, length). NumPy, DLPack, the buffer protocol, or another Vector.
copy : bool, optional
    None shares the bytes when it can and copies otherwise, and `is_shared` says which; True copies; False raises rather
    than copy.
device : str or mps.Device, optional
    Which device works on it; the current one when omitted.

Raises
------
ValueError
    The shape is no vector's, or copy=False and the bytes cannot be shared; the text names the reason.
TypeError
    No array, or elements that no kernel knows.)");
  auto vector_of = [](std::string_view who, bool zeroed) {
    return [who, zeroed](py::handle length, py::handle vectors, py::handle dtype, py::handle vector_bytes,
                         py::handle device) {
      return fresh<Vector>(vector_extents(who, length, vectors, dtype, vector_bytes), device, who, zeroed);
    };
  };
  vector
      .def(py::init(&from_array<Vector, Kind::vector>), py::arg("array"), py::kw_only(), py::arg("copy") = none,
           py::arg("device") = none)
      .def_static("empty", vector_of("Vector.empty", false), py::kw_only(), py::arg("length") = none,
                  py::arg("vectors") = none, py::arg("dtype") = "float32", py::arg("vector_bytes") = none,
                  py::arg("device") = none,
                  R"(A vector with undefined contents, in memory that every engine shares.

Its shape has an axis for vectors when `vectors` is given.)")
      .def_static("zeros", vector_of("Vector.zeros", true), py::kw_only(), py::arg("length") = none, py::arg("vectors") = none,
                  py::arg("dtype") = "float32", py::arg("vector_bytes") = none, py::arg("device") = none,
                  "The same as `empty`, all zeros.")
      .def_static(
          "vector_bytes_for_length",
          [](py::handle length, py::handle dtype) {
            return recommended_stride(
                to_int(length, Where{"Vector.vector_bytes_for_length", "length", Range{.min = 0, .max = 0x1p40}, ""}),
                dtype_from(dtype, "Vector.vector_bytes_for_length"));
          },
          py::arg("length"), py::arg("dtype"),
          "A good stride of vectors: a multiple of 16 bytes, and none of 4096 (64 more). Advice; any stride works.")
      .def_property_readonly("length", of_vector([](const Layout& l) { return l.length(); }), "Elements of a vector.")
      .def_property_readonly("vectors", of_vector([](const Layout& l) { return l.vectors(); }), "Vectors in the batch.")
      .def_property_readonly("vector_bytes", of_vector([](const Layout& l) { return l.vector_bytes(); }),
                             "Bytes from one vector to the next.")
      .def_property_readonly("data_type", of_vector([](const Layout& l) { return std::string(name_of(l.dtype)); }),
                             "Name of the elements' type.");
  bind_common(vector);

  constexpr const char* temporary =
      "Scratch of one command buffer: encode() gives it, other kernels of the same command buffer read it, no one else "
      "can.";
  py::class_<TemporaryImage, Image>(m, "TemporaryImage", temporary);
  py::class_<TemporaryMatrix, Matrix>(m, "TemporaryMatrix", temporary);
  py::class_<TemporaryVector, Vector>(m, "TemporaryVector", temporary);
  for (const char* name :
       {"_Data", "Image", "Matrix", "Vector", "TemporaryImage", "TemporaryMatrix", "TemporaryVector"})
    m.attr(name).attr("__module__") = "mpskit";

  m.def(
      "empty",
      [](const py::object& shape, const py::object& dtype, const py::object& device) {
        return fresh_array(shape, dtype, device, "empty", false);
      },
      py::arg("shape"), py::arg("dtype") = "float32", py::kw_only(), py::arg("device") = none,
      R"(A NumPy array with undefined contents that every engine shares without a copy.

Parameters
----------
shape : int or tuple of int
dtype : dtype
    uint8, uint16, float16, float32, int8, int16, int32, uint32 or float64.
device : str or mps.Device, optional
    Whose memory it is; the current device's when omitted. Every other device shares it too.)");
  m.def(
      "zeros",
      [](const py::object& shape, const py::object& dtype, const py::object& device) {
        return fresh_array(shape, dtype, device, "zeros", true);
      },
      py::arg("shape"), py::arg("dtype") = "float32", py::kw_only(), py::arg("device") = none,
      R"(A NumPy array of zeros that every engine shares without a copy; parameters as of `empty`.)");
  m.def(
      "from_dlpack",
      [](const py::object& tensor, const py::object& copy) -> py::object {
        const Copy how = copy_from(copy, "from_dlpack");
        if (!py::hasattr(tensor, "__dlpack__"))
          throw TypeError(cat("from_dlpack: ", type_name(tensor),
                              " has no __dlpack__; allowed: a tensor or array of a DLPack framework."));
        py::array array = dlpack::import_tensor(tensor, how != Copy::never).array;
        return how == Copy::always ? array.attr("copy")() : py::object(std::move(array));
      },
      py::arg("tensor"), py::kw_only(), py::arg("copy") = none,
      R"(A NumPy array that shares the memory of another framework's tensor, writable where that is.

Parameters
----------
tensor : object with __dlpack__
copy : bool, optional
    True copies; False raises rather than copy; None leaves it to the producer.)");
}

}  // namespace mpskit::python
