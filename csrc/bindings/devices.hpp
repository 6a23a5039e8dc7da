#pragma once
#include "bindings/python.hpp"

// Devices as Python sees them.
namespace mpskit::python {

struct alignas(needs_init) Device {  // mps.Device
  MPSKIT_NEEDS_INIT
  std::shared_ptr<Engine> engine;
};

// Of this thread and task: `with mps.device(...)`, else the default.
std::shared_ptr<Engine> current_engine();
// A device, or the name of one.
std::shared_ptr<Engine> engine_from(py::handle device, std::string_view who);

}  // namespace mpskit::python
