#include "bindings/devices.hpp"

#include "bindings/convert.hpp"
#include "cpu/isa.hpp"
#include "cpu/thread_pool.hpp"

namespace mpskit::python {
namespace {

// The devices of the `with` blocks around this code, innermost first, as (device, rest) or None. A context variable:
// each thread has its own, and each asyncio task keeps the one that it was started in.
PyObject* blocks() {
  static PyObject* variable = [] {
    PyObject* v = PyContextVar_New("mpskit.device", nullptr);
    if (!v) throw py::error_already_set();
    return v;
  }();
  return variable;
}
py::object innermost() {  // (device, rest), None, or null
  PyObject* value = nullptr;
  if (PyContextVar_Get(blocks(), nullptr, &value) < 0) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(value);
}
void set_innermost(const py::object& value) {
  PyObject* token = PyContextVar_Set(blocks(), value.ptr());
  if (!token) throw py::error_already_set();
  Py_DECREF(token);
}

py::object enter(const py::object& self) {
  const py::object outer = innermost();
  set_innermost(py::make_tuple(self, outer ? outer : py::none()));
  return self;
}
void leave(const py::object& self, const py::args&) {
  const py::object block = innermost();
  if (!block || block.is_none() || PyTuple_GET_ITEM(block.ptr(), 0) != self.ptr())
    throw ValueError(
        "Device: this `with` block was left out of order; allowed: the innermost first. Leave it where it was "
        "entered.");
  set_innermost(py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(block.ptr(), 1)));
}

// For the pipeline's workers: a queue of its own for this thread, and kernels that stay on it.
struct alignas(needs_init) WorkerScope {
  MPSKIT_NEEDS_INIT
  std::optional<QueueScope> queue;
  std::optional<cpu::SerialScope> serial;
};

}  // namespace

std::shared_ptr<Engine> current_engine() {
  const py::object block = innermost();
  if (!block || block.is_none()) return Engines::standard();
  return py::cast<const Device&>(py::handle(PyTuple_GET_ITEM(block.ptr(), 0))).engine;
}

std::shared_ptr<Engine> engine_from(py::handle device, std::string_view who) {
  if (py::isinstance<Device>(device)) return py::cast<const Device&>(device).engine;
  if (py::isinstance<py::str>(device)) return Engines::find(py::cast<std::string>(device));
  throw TypeError(cat(who, ": device is ", text_of(device), " (", type_name(device),
                      "); allowed: a name such as 'cpu', or an mps.Device."));
}

void bind_devices(py::module_& m) {
  py::class_<Device> device(
      m, "Device", R"(Something that runs kernels. From `mps.device(name)`, `mps.devices()` or `mps.default_device()`.

As a context manager it is the current device of this thread, and of the asyncio tasks started inside.)");
  device
      .def_property_readonly(
          "name", [](const Device& d) { return std::string(d.engine->name()); }, "'cpu', 'metal', 'metal:1'.")
      .def_property_readonly(
          "description", [](const Device& d) { return d.engine->info().name; }, "What it is, for people.")
      .def_property_readonly(
          "memory_bytes", [](const Device& d) { return d.engine->info().memory_bytes; },
          "Memory that it can comfortably use.")
      .def_property_readonly(
          "max_buffer_bytes", [](const Device& d) { return d.engine->info().max_buffer_bytes; },
          "The largest single piece.")
      .def_property_readonly(
          "has_unified_memory", [](const Device& d) { return d.engine->info().has_unified_memory; },
          "True when it shares memory with the CPU.")
      .def_property_readonly(
          "is_low_power", [](const Device& d) { return d.engine->info().is_low_power; },
          "True for an integrated GPU beside a discrete one.")
      .def_property_readonly(
          "features",
          [](const Device& d) {
            py::list out;
            for (const std::string& f : d.engine->info().features) out.append(f);
            return py::tuple(out);
          },
          "Instruction sets of a CPU, families of a GPU.")
      .def("__enter__", &enter)
      .def("__exit__", &leave)
      .def("__eq__",
           [](const Device& a, const py::object& b) {
             return py::isinstance<Device>(b) && a.engine == py::cast<const Device&>(b).engine;
           })
      .def("__hash__", [](const Device& d) { return py::hash(py::str(std::string(d.engine->name()))); })
      .def("__reduce__",
           [](const py::object& self) {
             return py::make_tuple(py::module_::import("mpskit").attr("device"), py::make_tuple(self.attr("name")));
           })
      .def("__repr__", [](const Device& d) { return cat("mps.device('", d.engine->name(), "')"); })
      .def("__str__", [](const Device& d) { return std::string(d.engine->name()); });
  device.attr("__module__") = "mpskit";

  m.def(
      "device", [](const py::object& name) { return Device{engine_from(name, "device")}; }, py::arg("name"),
      R"(The device of that name.

Raises
------
ValueError
    There is none here; the text names those there are.)");
  m.def(
      "devices",
      [] {
        py::list out;
        for (const auto& engine : Engines::all()) out.append(py::cast(Device{engine}));
        return out;
      },
      "The devices of this machine, best first.");
  m.def(
      "default_device", [] { return Device{current_engine()}; },
      "The device of the innermost `with mps.device(...)`, else that of the environment variable MPSKIT_DEVICE, else "
      "the first of `devices()`.");
  m.def("num_threads", &cpu::num_threads, "Threads that the CPU engine uses for one kernel.");
  m.def(
      "set_num_threads",
      [](py::handle n) {
        const auto threads =
            static_cast<int>(to_int(n, Where{"set_num_threads", "n", Range{.min = 1, .max = 1024}, ""}));
        const Unlocked unlocked;
        cpu::set_num_threads(threads);
      },
      py::arg("n"),
      "Set how many threads the CPU engine uses for one kernel, 1 to 1024. The environment variable MPSKIT_NUM_THREADS "
      "sets it from the start.");

  m.def("_force_isa", [](const std::string& name) { cpu::force_isa(name); }, py::arg("name"));
  m.def("_isas", [] {
    py::list out;
    for (cpu::Isa isa : cpu::available_isas()) out.append(std::string(cpu::isa_names[static_cast<std::size_t>(isa)]));
    return out;
  });
  m.def("_isas_not_built", [] {
    py::list out;
    for (std::size_t i = 0; i < cpu::isa_count; ++i) {
      const auto isa = static_cast<cpu::Isa>(i);
      if (cpu::machine_has(isa) && !cpu::is_available(isa)) out.append(std::string(cpu::isa_names[i]));
    }
    return out;
  });
  m.def("_active_isa", [] { return std::string(cpu::isa_names[static_cast<std::size_t>(cpu::active_isa())]); });
  py::class_<WorkerScope>(m, "_WorkerScope")
      .def(py::init<>())
      .def("__enter__",
           [](WorkerScope& w) {
             w.queue.emplace();
             w.serial.emplace();
           })
      .def("__exit__", [](WorkerScope& w, const py::args&) {
        w.serial.reset();
        w.queue.reset();
      });
}

}  // namespace mpskit::python
