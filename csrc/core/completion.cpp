#include "core/completion.hpp"

#include <pthread.h>

#include <utility>

#include "core/error.hpp"

namespace mpskit {

int Completion::forks() {
  static std::atomic<int> count{0};
  [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] { ++count; });
  return count.load(std::memory_order_relaxed);
}
// Before any lock: the thread that held it may not exist here.
void Completion::require_own_process() const {
  if (process_ != forks() && !is_done())
    throw DeviceError("Completion: the work is the parent's, this process is the child of a fork; allowed: waiting for work "
                      "that was submitted here. Submit again, or fork before work starts.");
}
bool Completion::wait_for(std::chrono::nanoseconds timeout) const {
  if (is_done()) return true;
  require_own_process();
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return is_done(); });
}
void Completion::wait() const {
  if (is_done()) return;
  require_own_process();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_done(); });
}
std::exception_ptr Completion::error() const { return is_done() ? error_ : nullptr; }  // set before done_, never after
void Completion::rethrow() const {
  wait();
  if (std::exception_ptr e = error()) std::rethrow_exception(e);
}
double Completion::device_seconds() const { return is_done() ? device_seconds_ : 0; }
void Completion::on_done(Callback callback) {
  {
    std::lock_guard lock(mutex_);
    if (!is_done()) {
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  callback(*this);
}
void Completion::finish(std::exception_ptr error, double device_seconds) {
  std::vector<Callback> callbacks;
  {
    std::lock_guard lock(mutex_);
    if (is_done()) return;
    error_ = std::move(error);
    device_seconds_ = device_seconds;
    done_.store(true, std::memory_order_release);
    callbacks.swap(callbacks_);
  }
  changed_.notify_all();
  for (const Callback& c : callbacks) c(*this);
}

}  // namespace mpskit
