#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/engine.hpp"

// What engine.cpp, plain C++, knows of the Objective-C++ side.
namespace mpskit::metal {

class Context;  // a device and what is made for it once: context.hpp

// The devices that MPS can use, the system's default first. None: no Metal here.
std::vector<std::shared_ptr<Context>> find_devices();
const DeviceInfo& info_of(const Context& context);
std::optional<std::string> refuses(const Context& context, const Call& call);
std::shared_ptr<Plan> make_plan(const Context& context, const Call& call);
void* buffer_handle(const Context& context, Storage& storage);  // the id<MTLBuffer> over it

// Submissions of one queue that went to the device and came back.
class Progress {
 public:
  std::uint64_t begin();
  void end();
  std::uint64_t ended() const { return ended_.load(std::memory_order_acquire); }
  void drain();  // waits for all that have begun

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0;
  std::atomic<std::uint64_t> ended_{0};
};

// A submission on its way. It keeps kernels, plans, data and Objective-C wrappers alive until the device is done with them.
struct Job {
  Submission submission;
  std::shared_ptr<Progress> progress;  // set once it counts
  std::shared_ptr<void> kept;
  void finish(std::exception_ptr error, double device_seconds);
  void finish(const std::string& failure, double device_seconds);  // no text: success
};

// A command queue with its scratch memory. Submissions of several threads are encoded one after the other.
class Stream {
 public:
  Stream(std::shared_ptr<const Context> context, std::uint64_t number);
  ~Stream();
  // Encodes and commits; throws when that fails, and then nothing runs.
  void run(const std::shared_ptr<Job>& job);
  Progress& progress() { return *progress_; }

 private:
  struct Impl;
  std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  std::unique_ptr<Impl> impl_;
};

// True in the child of a fork of a process that used Metal: nothing of Metal may be touched there, not even released.
bool is_forked();

}  // namespace mpskit::metal
