#include "bindings/python.hpp"

namespace mpskit::python {
#include "kernel_declarations.inc"
}  // namespace mpskit::python

PYBIND11_MODULE(_core, m) {
  using namespace mpskit;
  namespace py = pybind11;
  m.doc() = "The compiled core of mpskit.";
  m.attr("__version__") = MPSKIT_VERSION;
  // Our exceptions are Python's own where Python has the word.
  py::register_exception<UnsupportedError>(m, "UnsupportedError", PyExc_NotImplementedError);
  py::register_exception<DeviceError>(m, "DeviceError", PyExc_RuntimeError);
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const ValueError& e) {
      py::set_error(PyExc_ValueError, e.what());
    } catch (const TypeError& e) {
      py::set_error(PyExc_TypeError, e.what());
    }
  });

  python::bind_data(m);
  python::bind_devices(m);
  m.def("_restore", [](const py::object& type, const py::dict& keywords) { return type(**keywords); });

  for (const char* family : {"image", "linalg", "cnn", "rnn"}) m.def_submodule(family).attr("__all__") = py::list();
#define MPSKIT_BIND(family, Name)                                              \
  {                                                                            \
    py::module_ module = m.attr(#family).cast<py::module_>();                  \
    python::bind_##family##_##Name(module);                                    \
  }
#include "kernel_list.inc"
#undef MPSKIT_BIND
}
