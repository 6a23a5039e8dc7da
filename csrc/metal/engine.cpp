#include <pthread.h>

#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "metal/device.hpp"
#include "metal/registry.hpp"

// The Metal engine behind the seam: bookkeeping and every C++ catch. Objective-C begins in the .mm files.
namespace mpskit::metal {
namespace {

std::atomic<bool> forked{false};

[[noreturn]] void refuse_fork(std::string_view name) {
  throw DeviceError(cat(name, ": this process is the child of a fork, and Metal does not survive a fork; allowed: "
                              "device=\"cpu\", or a process that was started afresh. Pass device=\"cpu\", or start workers with "
                              "multiprocessing.get_context(\"spawn\")."));
}

std::unordered_map<const KernelType*, Registration>& registrations() {  // filled by static constructors
  static std::unordered_map<const KernelType*, Registration> map;
  return map;
}

class MetalEngine final : public Engine {
 public:
  MetalEngine(std::shared_ptr<Context> context, std::int32_t index)
      : context_(std::move(context)), index_(index), name_(index == 0 ? "metal" : cat("metal:", index)) {}

  std::string_view name() const override { return name_; }
  DeviceInfo info() const override { return info_of(*context_); }
  std::optional<std::string> refuses(const Call& call) const override {
    require_own_process();
    return metal::refuses(*context_, call);
  }
  std::shared_ptr<Plan> prepare(const Call& call) override {
    require_own_process();
    return make_plan(*context_, call);
  }
  // Kernels use any memory where it lies (Context::view); what is shared for longer begins on a page, as its buffer does.
  std::optional<std::string> cannot_share(const void* data, std::size_t, bool) const override {
    if (reinterpret_cast<std::uintptr_t>(data) % pool::page_bytes() == 0) return std::nullopt;
    return cat("its address is not at the beginning of a page of ", pool::page_bytes(), " bytes, where a Metal buffer must begin");
  }
  void submit(Submission submission) override {
    auto job = std::make_shared<Job>();
    job->submission = std::move(submission);
    try {
      require_own_process();
      stream(job->submission.queue).run(job);
    } catch (...) {
      job->finish(std::current_exception(), 0);
    }
  }
  void drain() override {
    if (forked) return;  // the parent's work ends there
    for (std::size_t number = 0; Stream* s = stream_or_null(number); ++number) s->progress().drain();
  }
  std::int32_t dlpack_device_type() const override { return 8; }
  std::int32_t dlpack_device_id() const override { return index_; }
  void* dlpack_data(Storage& storage) override {
    require_own_process();
    return buffer_handle(*context_, storage);
  }

 private:
  void require_own_process() const {
    if (forked) refuse_fork(name_);
  }
  // Streams live as long as the engine: their numbers are few.
  Stream& stream(std::size_t number) {
    std::lock_guard lock(mutex_);
    while (streams_.size() <= number) streams_.push_back(std::make_unique<Stream>(context_, streams_.size()));
    return *streams_[number];
  }
  Stream* stream_or_null(std::size_t number) {
    std::lock_guard lock(mutex_);
    return number < streams_.size() ? streams_[number].get() : nullptr;
  }

  std::shared_ptr<Context> context_;
  std::int32_t index_;
  std::string name_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

std::vector<std::shared_ptr<Engine>> make_engines() {
  std::vector<std::shared_ptr<Engine>> engines;
  try {
    for (std::shared_ptr<Context>& context : find_devices())
      engines.push_back(std::make_shared<MetalEngine>(std::move(context), static_cast<std::int32_t>(engines.size())));
  } catch (const Error&) {
    // A device that does not answer is no device: the CPU engine is there.
  }
  if (!engines.empty()) pthread_atfork(nullptr, nullptr, [] { forked = true; });
  return engines;
}
[[maybe_unused]] const bool registered = (Engines::add(10, &make_engines), true);  // before the CPU, which is 0

}  // namespace

bool is_forked() { return forked; }

void register_kernel(const KernelType& type, Registration registration) { registrations()[&type] = registration; }
const Registration* registration_of(const Kernel& kernel) {
  const auto found = registrations().find(kernel.type().identity());
  return found == registrations().end() ? nullptr : &found->second;
}

std::uint64_t Progress::begin() {
  std::lock_guard lock(mutex_);
  return ++begun_;
}
void Progress::end() {
  {
    std::lock_guard lock(mutex_);
    ++ended_;
  }
  changed_.notify_all();
}
void Progress::drain() {
  std::unique_lock lock(mutex_);
  const std::uint64_t last = begun_;
  changed_.wait(lock, [&] { return ended_ >= last; });
}

void Job::finish(std::exception_ptr error, double device_seconds) {
  submission.works.clear();  // lets go of operands before anybody hears that they are free
  submission.temporaries.clear();
  kept = nullptr;
  submission.completion->finish(std::move(error), device_seconds);
  if (progress) progress->end();
}
void Job::finish(const std::string& failure, double device_seconds) {
  finish(failure.empty() ? nullptr : std::make_exception_ptr(DeviceError(failure)), device_seconds);
}

}  // namespace mpskit::metal
