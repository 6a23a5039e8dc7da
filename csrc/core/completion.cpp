#include "core/completion.hpp"

#include <utility>

namespace mpskit {

bool Completion::is_done() const {
  std::lock_guard lock(mutex_);
  return done_;
}
bool Completion::wait_for(std::chrono::nanoseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return done_; });
}
void Completion::wait() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_; });
}
std::exception_ptr Completion::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}
void Completion::rethrow() const {
  wait();
  if (std::exception_ptr e = error()) std::rethrow_exception(e);
}
double Completion::device_seconds() const {
  std::lock_guard lock(mutex_);
  return device_seconds_;
}
void Completion::on_done(Callback callback) {
  {
    std::lock_guard lock(mutex_);
    if (!done_) {
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
    if (done_) return;
    error_ = std::move(error);
    device_seconds_ = device_seconds;
    done_ = true;
    callbacks.swap(callbacks_);
  }
  changed_.notify_all();
  for (const Callback& c : callbacks) c(*this);
}

}  // namespace mpskit
