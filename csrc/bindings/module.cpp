#include "bindings/call.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace mpskit;
  namespace py = pybind11;
  m.doc() = "The compiled core of mpskit.";
  m.attr("__version__") = MPSKIT_VERSION;
  // Our exceptions are Python's own where Python has the word.
  auto unsupported = py::register_exception<UnsupportedError>(m, "UnsupportedError", PyExc_NotImplementedError);
  unsupported.doc() = "The device lacks this case; the text says which one has it.";
  auto device_error = py::register_exception<DeviceError>(m, "DeviceError", PyExc_RuntimeError);
  device_error.doc() = "The device failed while it worked; carries the system's own text.";
  for (const py::object& error : {py::object(unsupported), py::object(device_error)}) error.attr("__module__") = "mpskit";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const ValueError& e) {
      py::set_error(PyExc_ValueError, e.what());
    } catch (const TypeError& e) {
      py::set_error(PyExc_TypeError, e.what());
    }
  });

  python::bind_devices(m);
  python::bind_data(m);
  python::bind_completion(m);
  python::bind_command_buffer(m);
  m.def("_restore", [](const py::object& type, const py::dict& keywords) { return type(**keywords); });
  py::class_<python::BoundKernel> kernel = python::bind_calls(m);
  python::bind_values(m, kernel);
  python::bind_data_sources(m);
  python::bind_graph(m);
}
