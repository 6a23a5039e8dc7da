#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace mpskit {

// The end of submitted work: waited for, asked, or called back. Made by dispatch, finished once by an engine. In the child of
// a fork, work that the parent had under way never ends: waiting for it throws DeviceError.
class Completion {
 public:
  using Callback = std::function<void(const Completion&)>;

  bool is_done() const { return done_.load(std::memory_order_acquire); }
  // False when the time ran out. Never throws the work's error: ask error() or call result().
  bool wait_for(std::chrono::nanoseconds timeout) const;
  void wait() const;
  std::exception_ptr error() const;  // null while it runs and after success
  void rethrow() const;              // waits, then throws the work's error if there is one
  double device_seconds() const;     // time on the device; 0 until done
  // Runs at once when the work is done already, else on the thread that finishes it. Must not throw.
  void on_done(Callback callback);

  // The engine's side, once.
  void finish(std::exception_ptr error, double device_seconds);

 private:
  static int forks();
  void require_own_process() const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  const int process_ = forks();  // forks between the first process of the library and this one
  std::atomic<bool> done_{false};
  std::exception_ptr error_;
  double device_seconds_ = 0;
  std::vector<Callback> callbacks_;
};

}  // namespace mpskit
