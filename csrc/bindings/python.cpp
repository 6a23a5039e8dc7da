#include "bindings/python.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace mpskit::python {
namespace {

struct Released {
  std::mutex mutex;
  std::vector<PyObject*> objects;
  std::atomic<bool> any{false};
};
Released& released() {
  static auto* r = [] {  // never destroyed: work may end while the process does
    auto* made = new Released;
    pthread_atfork([] { released().mutex.lock(); }, [] { released().mutex.unlock(); },
                   [] { released().mutex.unlock(); });
    return made;
  }();
  return *r;
}

[[noreturn]] void stay() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace

std::string text_of(py::handle value) {
  constexpr std::size_t most = 100;
  const py::str text = py::repr(value);
  if (py::len(text) <= most) return py::cast<std::string>(text);
  return py::cast<std::string>(text[py::slice(0, most - 3, 1)]) + "...";
}

Unlocked::~Unlocked() {
  try {
    PyEval_RestoreThread(state_);
  } catch (...) {
    stay();
  }
}
Locked::Locked() {
  try {
    state_ = PyGILState_Ensure();
  } catch (...) {
    stay();
  }
}

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
    auto* python = static_cast<PyObject*>(p);
    if (PyGILState_Check()) {
      Py_DECREF(python);
      return;
    }
    Released& r = released();
    bool first;
    {
      std::lock_guard lock(r.mutex);
      first = r.objects.empty();
      r.objects.push_back(python);
      r.any.store(true, std::memory_order_release);
    }
    if (first) Py_AddPendingCall([](void*) { return drop_released(), 0; }, nullptr);  // full queue: the next call drops
  });
}

void drop_released() {
  Released& r = released();
  if (!r.any.load(std::memory_order_acquire)) return;
  std::vector<PyObject*> objects;
  {
    std::lock_guard lock(r.mutex);
    objects.swap(r.objects);
    r.any.store(false, std::memory_order_relaxed);
  }
  for (PyObject* object : objects) Py_DECREF(object);
}

void wait(const Completion& completion, std::optional<double> timeout_seconds) {
  using Clock = std::chrono::steady_clock;
  if (!completion.is_done()) {
    // Ctrl-C sets a flag that only the main thread's Python code looks at: look every 50 ms.
    constexpr std::chrono::duration<double> slice(0.05);
    const auto begin = Clock::now();
    for (bool done = false; !done;) {
      std::chrono::duration<double> next = slice;
      if (timeout_seconds) {
        const auto left = std::chrono::duration<double>(*timeout_seconds) - (Clock::now() - begin);
        if (left <= Clock::duration::zero()) {
          py::set_error(PyExc_TimeoutError, cat("Completion: the work is not done after ", *timeout_seconds,
                                                " s; it goes on. Wait again, or longer.")
                                                .c_str());
          throw py::error_already_set();
        }
        next = std::min<std::chrono::duration<double>>(slice, left);
      }
      {
        const Unlocked unlocked;
        done = completion.wait_for(std::chrono::duration_cast<std::chrono::nanoseconds>(next));
      }
      if (!done && PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
  }
  drop_released();
  completion.rethrow();
}

}  // namespace mpskit::python
