#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "core/dispatch.hpp"
#include "core/engine.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

// What every binding shares.
namespace mpskit::python {

namespace py = pybind11;

std::string text_of(py::handle value);  // its repr(), shortened: a message may meet a whole array
inline std::string type_name(py::handle value) { return py::cast<std::string>(py::type::of(value).attr("__name__")); }

// In each class that Python sees. Methods of an object whose __init__ never ran (`cls.__new__(cls)`) would work on raw
// memory: pybind11 makes room for it with the plain operator new, which refuses; C++ itself takes the one for the
// stricter alignment.
[[noreturn]] inline void refuse_uninitialised() {
  throw TypeError(
      "mpskit: this object was never initialised; allowed: objects made by calling the class, not its __new__.");
}
#define MPSKIT_NEEDS_INIT                                                                       \
  static void* operator new(std::size_t) { refuse_uninitialised(); }                            \
  static void* operator new(std::size_t n, std::align_val_t a) { return ::operator new(n, a); } \
  static void operator delete(void* p, std::align_val_t a) { ::operator delete(p, a); }
inline constexpr std::size_t needs_init = 2 * __STDCPP_DEFAULT_NEW_ALIGNMENT__;

// The T in an object of its class or of one below it; null in any other. None of our classes has two bases in C++, so the address
// of a T is that of what is derived from it; py::cast finds that out anew each time, from the name of the type.
template <class T>
T* object_of(py::handle h) {
  static auto* const type = reinterpret_cast<PyTypeObject*>(py::type::of<T>().release().ptr());
  if (!PyObject_TypeCheck(h.ptr(), type)) return nullptr;
  auto* instance = reinterpret_cast<py::detail::instance*>(h.ptr());
  if (!instance->simple_layout) return &py::cast<T&>(h);
  if (!instance->simple_value_holder[0]) refuse_uninitialised();
  return static_cast<T*>(instance->simple_value_holder[0]);
}

// A Python object held from code without the GIL. Where the last holder has no GIL the object is laid aside, so that an
// engine never waits for Python, and dropped by `drop_released()` or by the main thread soon after. Once the
// interpreter is going it leaks on purpose.
std::shared_ptr<void> keep(py::object object);
void drop_released();  // needs the GIL; may run any Python code
bool interpreter_is_alive();

// Without the GIL, and with it, for a scope. Before Python 3.14 a thread that asks for the GIL of a dying interpreter
// is made to exit by unwinding, which C++ answers with terminate(): such a thread stays here instead, until the process
// ends.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};
class Locked {
 public:
  Locked();
  ~Locked() { PyGILState_Release(state_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  PyGILState_STATE state_;
};

// Waits without the GIL, yet lets KeyboardInterrupt through. Throws the work's error, or TimeoutError.
void wait(const Completion& completion, std::optional<double> timeout_seconds = {});

void bind_data(py::module_& module);            // Image, Matrix, Vector and temporaries, empty, zeros, from_dlpack
void bind_devices(py::module_& module);         // devices, threads, ISA
void bind_completion(py::module_& module);      // Completion
void bind_command_buffer(py::module_& module);  // CommandBuffer
void bind_data_sources(py::module_& module);    // what a data source holds
void bind_graph(py::module_& module);           // graph.Network, behind mps.graph.Graph

}  // namespace mpskit::python
