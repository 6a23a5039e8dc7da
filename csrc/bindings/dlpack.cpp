#include "bindings/dlpack.hpp"

#include <array>
#include <vector>

namespace mpskit::python::dlpack {
namespace {

// What an exported tensor points to; the consumer's deleter ends it, on any thread.
struct Exported {
  Operand operand;
  std::array<std::int64_t, 4> shape{}, strides{};
};

[[noreturn]] void refuse(const std::string& text) {
  py::set_error(PyExc_BufferError, text.c_str());
  throw py::error_already_set();
}

ElementType element_type(DType t) {
  std::uint8_t code = 0;
  switch (t) {
    case DType::u8:
    case DType::u16:
    case DType::u32:
      code = 1;
      break;
    case DType::f16:
    case DType::f32:
    case DType::f64:
      code = 2;
      break;
    default:
      break;
  }
  return {code, static_cast<std::uint8_t>(8 * size_of(t)), 1};
}
DType dtype_of(ElementType type) {
  for (std::size_t i = 0; i < dtype_count; ++i) {
    const ElementType known = element_type(static_cast<DType>(i));
    if (known.code == type.code && known.bits == type.bits && type.lanes == 1) return static_cast<DType>(i);
  }
  throw TypeError(cat(
      "from_dlpack: the tensor's elements have code ", static_cast<int>(type.code), " and ",
      static_cast<int>(type.bits), " bits",
      type.code == 4   ? " (bfloat16)"
      : type.code == 6 ? " (bool)"
                       : "",
      "; allowed: uint8, uint16, float16, float32, int8, int16, int32, uint32, float64. Convert the tensor first."));
}

// Calls __dlpack__ with as many of today's keywords as the producer knows.
py::object call_producer(py::handle object, bool to_cpu, bool may_copy) {
  const py::object method = object.attr("__dlpack__");
  py::dict keywords;
  keywords["max_version"] = py::make_tuple(1, 1);
  if (to_cpu) keywords["dl_device"] = py::make_tuple(static_cast<int>(cpu), 0);
  if (!may_copy) keywords["copy"] = false;
  try {
    return method(**keywords);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError)) throw;
  }
  if (to_cpu)
    refuse(cat("from_dlpack: the tensor (", type_name(object),
               ") lies on another device and its producer cannot lend it to the CPU; allowed: "
               "memory that a CPU sees. Move it to the CPU first."));
  return method();  // a producer from before DLPack 1.0
}

// Takes a tensor over: it ends with the object that this gives.
template <class M>
py::capsule adopt(py::handle capsule, M* managed, const char* used_name) {
  py::capsule keeper(managed, [](void* p) {
    auto* m = static_cast<M*>(p);
    if (m->deleter) m->deleter(m);
  });
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw py::error_already_set();
  return keeper;
}

template <class M>
py::capsule make_capsule(M* managed, const char* name) {
  PyObject* capsule = PyCapsule_New(managed, name, [](PyObject* c) {
    const char* now = PyCapsule_GetName(c);
    if (!now || std::string_view(now).starts_with("used")) return;  // the consumer has taken it over
    auto* m = static_cast<M*>(PyCapsule_GetPointer(c, now));
    m->deleter(m);
  });
  if (!capsule) {
    managed->deleter(managed);
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::capsule>(capsule);
}

Device device_from(py::handle object) {
  if (!py::isinstance<py::tuple>(object) || py::len(object) != 2)
    throw TypeError(
        cat("__dlpack__: dl_device is ", text_of(object), "; allowed: None or (type, id). Pass (1, 0) for the CPU."));
  const auto pair = py::reinterpret_borrow<py::tuple>(object);
  return {py::cast<std::int32_t>(py::int_(pair[0])), py::cast<std::int32_t>(py::int_(pair[1]))};
}

}  // namespace

Imported import_tensor(py::handle object, bool may_copy) {
  const Device device = [&] {
    if (!py::hasattr(object, "__dlpack_device__")) return Device{cpu, 0};
    const py::tuple pair = object.attr("__dlpack_device__")();
    return Device{py::cast<std::int32_t>(py::int_(pair[0])), py::cast<std::int32_t>(py::int_(pair[1]))};
  }();
  const bool is_visible =
      device.type == cpu || device.type == cuda_host || device.type == rocm_host || device.type == cuda_managed;
  const py::object given = call_producer(object, !is_visible, may_copy);
  if (!PyCapsule_CheckExact(given.ptr()))
    throw TypeError(cat("from_dlpack: __dlpack__ gave a ", type_name(given), "; allowed: a capsule."));

  Tensor* tensor = nullptr;
  std::uint64_t flags = 0;
  py::object keeper;
  if (PyCapsule_IsValid(given.ptr(), "dltensor_versioned")) {
    auto* managed = static_cast<ManagedVersioned*>(PyCapsule_GetPointer(given.ptr(), "dltensor_versioned"));
    if (managed->major > 1)
      refuse(
          cat("from_dlpack: the tensor has DLPack version ", managed->major, ".", managed->minor, "; allowed: 1.x."));
    tensor = &managed->tensor;
    flags = managed->flags;
    keeper = adopt(given, managed, "used_dltensor_versioned");
  } else if (PyCapsule_IsValid(given.ptr(), "dltensor")) {
    auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(given.ptr(), "dltensor"));
    tensor = &managed->tensor;
    keeper = adopt(given, managed, "used_dltensor");
  } else {
    const char* name = PyCapsule_GetName(given.ptr());
    throw ValueError(cat("from_dlpack: the capsule is named '", name ? name : "",
                         "'; allowed: 'dltensor', 'dltensor_versioned'. A capsule can be used once."));
  }
  const DeviceType type = static_cast<DeviceType>(tensor->device.type);
  if (type != cpu && type != cuda_host && type != rocm_host && type != cuda_managed)
    refuse(cat("from_dlpack: the tensor lies on DLPack device type ", tensor->device.type,
               "; allowed: memory that a CPU sees. Move it to the CPU first."));
  if (tensor->rank < 0 || tensor->rank > 32)
    throw ValueError(cat("from_dlpack: the tensor has ", tensor->rank, " dimensions; allowed: up to 32."));

  const DType dtype = dtype_of(tensor->dtype);
  const auto rank = static_cast<std::size_t>(tensor->rank);
  std::vector<py::ssize_t> shape(tensor->shape, tensor->shape + rank), strides(rank);
  auto step = static_cast<py::ssize_t>(size_of(dtype));
  for (std::size_t axis = rank; axis-- > 0;) {
    strides[axis] = tensor->strides ? tensor->strides[axis] * static_cast<py::ssize_t>(size_of(dtype)) : step;
    step *= shape[axis];
  }
  py::array out(dtype_object(dtype), std::move(shape), std::move(strides),
                static_cast<std::byte*>(tensor->data) + tensor->byte_offset, keeper);
  if (flags & flag_read_only) py::detail::array_proxy(out.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return {std::move(out), (flags & flag_is_copied) != 0};
}

py::tuple device_of(const Data& data) {
  return py::make_tuple(data.engine->dlpack_device_type(), data.engine->dlpack_device_id());
}

py::capsule export_data(const Data& data, py::handle stream, py::handle max_version, py::handle dl_device,
                        py::handle copy) {
  if (data.is_temporary())
    throw ValueError(cat("__dlpack__: ", data.operand.layout.describe(),
                         " is a temporary of a command buffer and has no memory of its own; allowed: an "
                         "Image, Matrix or Vector. Pass temporary=False, or out=, to encode()."));
  if (!stream.is_none())
    throw ValueError(
        cat("__dlpack__: stream is ", text_of(stream), "; allowed: None. Work is done when data is in your hands."));
  if (!copy.is_none() && !PyBool_Check(copy.ptr()))
    throw TypeError(cat("__dlpack__: copy is ", text_of(copy), "; allowed: None, True or False."));
  const Device own{data.engine->dlpack_device_type(), data.engine->dlpack_device_id()};
  const Device wanted = dl_device.is_none() ? own : device_from(dl_device);
  const bool to_cpu = wanted.type == cpu && wanted.id == 0;
  if (!to_cpu && (wanted.type != own.type || wanted.id != own.id))
    refuse(cat("__dlpack__: dl_device is (", wanted.type, ", ", wanted.id, "); allowed: (1, 0)",
               own.type == cpu ? std::string() : cat(" or (", own.type, ", ", own.id, ")"), ". The data is on ",
               data.engine->name(), "."));
  const bool versioned =
      !max_version.is_none() && py::cast<int>(py::int_(py::reinterpret_borrow<py::tuple>(max_version)[0])) >= 1;
  const bool copied = copy.ptr() == Py_True;
  if (!data.is_writable && !copied && !versioned)
    refuse(
        "__dlpack__: the data is read-only and the consumer's DLPack cannot say so; allowed: max_version >= (1, 0). "
        "Pass copy=True.");

  auto exported = std::make_unique<Exported>();
  exported->operand = data.operand;
  if (copied) {
    exported->operand = allocate(*data.engine, data.operand.layout.packed(), false);
    as_array(exported->operand, data.rank, true)[py::ellipsis()] = as_array(data.operand, data.rank, false);
  }
  Operand& operand = exported->operand;
  const ArrayShape s = array_shape(operand.layout, data.rank);
  for (std::size_t axis = 0; axis < s.rank; ++axis) {
    exported->shape[axis] = s.shape[axis];
    exported->strides[axis] = s.strides[axis] / static_cast<std::int64_t>(operand.layout.element_bytes());
  }
  // Some consumers overlook byte_offset: where data is an address, it is the address of the first element.
  const bool is_address = to_cpu || own.type == cpu;
  const Tensor tensor{is_address ? operand.data() : data.engine->dlpack_data(*operand.storage),
                      wanted,
                      static_cast<std::int32_t>(s.rank),
                      element_type(operand.layout.dtype),
                      exported->shape.data(),
                      exported->strides.data(),
                      is_address ? 0 : static_cast<std::uint64_t>(operand.offset)};
  if (versioned) {
    const std::uint64_t flags = (data.is_writable || copied ? 0 : flag_read_only) | (copied ? flag_is_copied : 0);
    auto* managed = new ManagedVersioned{1,
                                         0,
                                         exported.release(),
                                         [](ManagedVersioned* m) {
                                           delete static_cast<Exported*>(m->context);
                                           delete m;
                                         },
                                         flags,
                                         tensor};
    return make_capsule(managed, "dltensor_versioned");
  }
  auto* managed = new Managed{tensor, exported.release(), [](Managed* m) {
                                delete static_cast<Exported*>(m->context);
                                delete m;
                              }};
  return make_capsule(managed, "dltensor");
}

}  // namespace mpskit::python::dlpack
