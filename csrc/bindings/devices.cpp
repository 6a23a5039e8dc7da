#include "bindings/call.hpp"
#include "cpu/isa.hpp"
#include "cpu/thread_pool.hpp"

namespace mpskit::python {
namespace {

struct Device {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Engine> previous;  // while it is a context manager
};

}  // namespace

void bind_devices(py::module_& m) {
  py::class_<BoundKernel>(m, "Kernel")
      .def("__call__", &call)
      .def("submit", &submit)
      .def("encode", &encode);

  py::class_<PyCompletion>(m, "Completion")
      .def("wait", [](const PyCompletion& c) { wait(*c.completion); })
      .def("result", [](const PyCompletion& c) { wait(*c.completion); return c.result; })
      .def("done", [](const PyCompletion& c) { return c.completion->is_done(); });

  py::class_<PyCommandBuffer>(m, "CommandBuffer")
      .def("commit", [](PyCommandBuffer& b) {
        py::gil_scoped_release unlocked;
        b.completion = b.buffer->commit();
      })
      .def("wait", [](const PyCommandBuffer& b) {
        if (!b.completion) throw ValueError("CommandBuffer: wait before commit; allowed: after it. Call commit() first.");
        wait(*b.completion);
      })
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PyCommandBuffer& b, const py::object& type, const py::object&, const py::object&) {
        if (!type.is_none()) return;  // the block failed: its own error goes on, nothing is committed
        if (!b.completion) {
          py::gil_scoped_release unlocked;
          b.completion = b.buffer->commit();
        }
        wait(*b.completion);
      });

  py::class_<Device>(m, "Device")
      .def_property_readonly("name", [](const Device& d) { return std::string(d.engine->name()); })
      .def("command_buffer", [](const Device& d, std::string label) {
        return PyCommandBuffer{std::make_unique<CommandBuffer>(d.engine, std::move(label)), nullptr};
      }, py::arg("label") = "")
      .def("__enter__", [](Device& d) -> Device& { d.previous = Engines::set_current(d.engine); return d; }, py::return_value_policy::reference)
      .def("__exit__", [](Device& d, const py::args&) { Engines::set_current(std::exchange(d.previous, nullptr)); })
      .def("__repr__", [](const Device& d) { return cat("mps.device('", d.engine->name(), "')"); })
      .def("__str__", [](const Device& d) { return std::string(d.engine->name()); });

  m.def("device", [](const std::string& name) { return Device{Engines::find(name), nullptr}; });
  m.def("devices", [] {
    std::vector<Device> out;
    for (const auto& e : Engines::all()) out.push_back({e, nullptr});
    py::list list;
    for (Device& d : out) list.append(py::cast(std::move(d)));
    return list;
  });
  m.def("default_device", [] { return Device{Engines::current(), nullptr}; });
  m.def("num_threads", &cpu::num_threads);
  m.def("set_num_threads", [](int n) { py::gil_scoped_release unlocked; cpu::set_num_threads(n); }, py::arg("n"));
  m.def("_force_isa", [](const std::string& name) { cpu::force_isa(name); }, py::arg("name"));
  m.def("_isas", [] {
    py::list out;
    for (cpu::Isa isa : cpu::available_isas()) out.append(std::string(cpu::isa_names[static_cast<std::size_t>(isa)]));
    return out;
  });
  m.def("_active_isa", [] { return std::string(cpu::isa_names[static_cast<std::size_t>(cpu::active_isa())]); });
  // For the pipeline's workers: a queue of its own for this thread, and kernels that stay on it.
  struct WorkerScope {
    std::optional<QueueScope> queue;
    std::optional<cpu::SerialScope> serial;
  };
  py::class_<WorkerScope>(m, "_WorkerScope")
      .def(py::init<>())
      .def("__enter__", [](WorkerScope& w) { w.queue.emplace(); w.serial.emplace(); })
      .def("__exit__", [](WorkerScope& w, const py::args&) { w.serial.reset(); w.queue.reset(); });
  m.def("_drain", [] {
    py::gil_scoped_release unlocked;
    for (const auto& e : Engines::all()) e->drain();
  });
}

}  // namespace mpskit::python
