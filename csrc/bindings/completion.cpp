#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "bindings/call.hpp"
#include "bindings/convert.hpp"

// mps.Completion.
namespace mpskit::python {
namespace {

// Runs callbacks of Python one after the other on a thread of its own: one that calls kernels and waits for them holds
// up no engine.
class Notifier {
 public:
  static std::shared_ptr<Notifier> instance() {  // needs the GIL
    static auto* current = new std::shared_ptr<Notifier>(new Notifier);
    if ((*current)->process_ != getpid())
      new (current) std::shared_ptr<Notifier>(new Notifier);  // a fork: the thread stayed behind
    return *current;
  }
  void post(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (!is_running_) {
      is_running_ = true;
      std::thread([this] { run(); }).detach();
    }
    changed_.notify_all();
  }
  bool drain() {  // true when there was something to wait for
    std::unique_lock lock(mutex_);
    if (jobs_.empty() && !busy_) return false;
    changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
    return true;
  }

 private:
  Notifier() = default;
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !jobs_.empty(); });
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  const pid_t process_ = getpid();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool is_running_ = false, busy_ = false;
};

void run_callback(const py::object& callback, const py::object& completion) {
  try {
    callback(completion);
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable(callback);
  }
}

void add_done_callback(const py::object& self, const py::object& callback) {
  if (!PyCallable_Check(callback.ptr()))
    throw TypeError(cat("Completion: the callback is ", text_of(callback),
                        "; allowed: a function of one argument, the Completion."));
  auto& c = py::cast<PyCompletion&>(self);
  if (c.pending == 0 && c.completion->is_done()) {
    run_callback(callback, self);
    return;
  }
  ++c.pending;
  auto notifier = Notifier::instance();
  std::shared_ptr<void> both = keep(py::make_tuple(self, callback));
  c.completion->on_done([notifier, both = std::move(both)](const Completion&) {
    notifier->post([both] {
      if (!interpreter_is_alive()) return;
      const Locked locked;
      const auto pair = py::reinterpret_borrow<py::tuple>(static_cast<PyObject*>(both.get()));
      --py::cast<PyCompletion&>(pair[0]).pending;
      run_callback(pair[1], pair[0]);
    });
  });
}

std::optional<double> seconds_from(py::handle timeout) {
  if (timeout.is_none()) return std::nullopt;
  return to_double(timeout, Where{"Completion", "timeout", Range{.min = 0}, "s"});
}

// The Python exception that waiting would raise, or None.
py::object exception_of(const PyCompletion& c) {
  const std::exception_ptr error = c.completion->error();
  if (!error) return py::none();
  try {
    py::cpp_function([error] { std::rethrow_exception(error); })();
  } catch (py::error_already_set& translated) {
    return translated.value();
  }
  return py::none();
}

}  // namespace

void bind_completion(py::module_& m) {
  const py::none none;
  py::class_<PyCompletion> completion(m, "Completion",
                                      R"(The end of submitted work: waited for, asked, called back, or awaited.

From `kernel.submit(...)` and `CommandBuffer.commit()`. Submitted work runs to its end: it cannot be cancelled. It keeps its
inputs and outputs alive itself, whether or not anybody holds this object.)");
  completion
      .def(
          "wait", [](const PyCompletion& c, py::handle timeout) { wait(*c.completion, seconds_from(timeout)); },
          py::arg("timeout") = none,
          R"(Wait for the end, without the GIL.

Raises
------
TimeoutError
    It is not done after `timeout` seconds. The work goes on.
DeviceError
    The device failed while it worked.)")
      .def(
          "result",
          [](const PyCompletion& c, py::handle timeout) {
            wait(*c.completion, seconds_from(timeout));
            return c.result;
          },
          py::arg("timeout") = none,
          "Wait, then give what the call would have given; None for a command buffer. Raises as `wait`.")
      .def(
          "done", [](const PyCompletion& c) { return c.completion->is_done(); },
          "True after the end, with success or without.")
      .def(
          "exception",
          [](const PyCompletion& c, py::handle timeout) {
            try {
              wait(*c.completion, seconds_from(timeout));
            } catch (py::error_already_set&) {
              if (!c.completion->is_done()) throw;  // the time ran out, or Ctrl-C
            } catch (...) {
              if (!c.completion->is_done()) throw;
            }
            return exception_of(c);
          },
          py::arg("timeout") = none, "Wait, then give the exception that `wait` raises, or None.")
      .def("add_done_callback", &add_done_callback, py::arg("callback"), R"(Call `callback(completion)` after the end.

Callbacks of one Completion run in the order in which they were added, on a thread of mpskit that runs callbacks only, so one may
call kernels and wait for them; one added after the last has run is called at once. `wait` may return before they have run. What
a callback raises goes to sys.unraisablehook.)")
      .def_property_readonly(
          "device_seconds",
          [](const PyCompletion& c) -> py::object {
            if (!c.completion->is_done()) return py::none();
            return py::float_(c.completion->device_seconds());
          },
          "Time that the device worked, in seconds; None before the end.")
      .def("__await__",
           [](const py::object& self) {
             return py::module_::import("mpskit._await").attr("wait")(self).attr("__await__")();
           })
      .def("__repr__", [](const PyCompletion& c) {
        return cat("<mps.Completion ",
                   !c.completion->is_done() ? "pending"
                   : c.completion->error()  ? "failed"
                                            : "done",
                   ">");
      });
  // Completion[Image] in annotations.
  completion.attr("__class_getitem__") = py::reinterpret_steal<py::object>(
      PyClassMethod_New(py::cpp_function([](const py::object& cls, const py::object& item) {
                          return py::reinterpret_steal<py::object>(Py_GenericAlias(cls.ptr(), item.ptr()));
                        }).ptr()));
  completion.attr("__module__") = "mpskit";

  m.def("_drain", [] {
    const auto notifier = Notifier::instance();
    const Unlocked unlocked;
    do Engines::drain();
    while (notifier->drain());  // a callback may have submitted more
  });
  py::module_::import("atexit").attr("register")(m.attr("_drain"));
}

}  // namespace mpskit::python
