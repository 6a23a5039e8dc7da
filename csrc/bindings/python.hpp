#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/dispatch.hpp"
#include "core/engine.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

// What every binding shares.
namespace mpskit::python {

namespace py = pybind11;

inline std::string text_of(py::handle value) { return py::cast<std::string>(py::repr(value)); }
inline std::string type_name(py::handle value) { return py::cast<std::string>(py::type::of(value).attr("__name__")); }

// A Python object held from code without the GIL, dropped under it on whichever thread it ends. Dropped too late (the
// interpreter is going) it leaks on purpose rather than touch a dead interpreter.
std::shared_ptr<void> keep(py::object object);
bool interpreter_is_alive();

// Waits without the GIL, yet lets KeyboardInterrupt through. Throws the work's error.
void wait(const Completion& completion);

void bind_data(py::module_& module);     // Image, Matrix, Vector, empty, zeros, from_dlpack
void bind_devices(py::module_& module);  // devices, command buffers, completions, threads, ISA

}  // namespace mpskit::python
