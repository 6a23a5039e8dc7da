#include "bindings/python.hpp"

namespace mpskit::python {

bool interpreter_is_alive() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsInitialized() && !Py_IsFinalizing();
#else
  return Py_IsInitialized() && !_Py_IsFinalizing();
#endif
}

std::shared_ptr<void> keep(py::object object) {
  return std::shared_ptr<void>(object.release().ptr(), [](void* p) {
    if (!interpreter_is_alive()) return;
    const PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(static_cast<PyObject*>(p));
    PyGILState_Release(state);
  });
}

void wait(const Completion& completion) {
  if (!completion.is_done()) {
    // Ctrl-C sets a flag that only the main thread's Python code looks at: look every 50 ms.
    for (bool done = false; !done;) {
      {
        py::gil_scoped_release unlocked;
        done = completion.wait_for(std::chrono::milliseconds(50));
      }
      if (!done && PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
  }
  completion.rethrow();
}

}  // namespace mpskit::python
