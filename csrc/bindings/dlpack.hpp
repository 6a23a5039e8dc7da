#pragma once
#include <cstdint>

#include "bindings/data.hpp"

// DLPack: tensors between frameworks without a copy, in capsules. https://dmlc.github.io/dlpack/latest
namespace mpskit::python::dlpack {

// The binary interface, versions 0.x and 1.x.
enum DeviceType : std::int32_t { cpu = 1, cuda_host = 3, metal = 8, rocm_host = 11, cuda_managed = 13 };
struct Device {
  std::int32_t type, id;
};
struct ElementType {
  std::uint8_t code;  // 0 integer, 1 unsigned, 2 float
  std::uint8_t bits;
  std::uint16_t lanes;
};
struct Tensor {
  void* data;
  Device device;
  std::int32_t rank;
  ElementType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null when contiguous
  std::uint64_t byte_offset;
};
struct Managed {
  Tensor tensor;
  void* context;
  void (*deleter)(Managed*);
};
struct ManagedVersioned {
  std::uint32_t major, minor;
  void* context;
  void (*deleter)(ManagedVersioned*);
  std::uint64_t flags;
  Tensor tensor;
};
inline constexpr std::uint64_t flag_read_only = 1, flag_is_copied = 2;

// An array that shares the tensor's memory and keeps it alive. BufferError when no CPU can see that memory.
struct Imported {
  py::array array;
  bool is_copied;  // by its producer
};
Imported import_tensor(py::handle object, bool may_copy);

py::capsule export_data(const Data& data, py::handle stream, py::handle max_version, py::handle dl_device,
                        py::handle copy);
py::tuple device_of(const Data& data);

}  // namespace mpskit::python::dlpack
