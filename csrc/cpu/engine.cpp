#include <pthread.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <unistd.h>

#include "core/engine.hpp"
#include "core/error.hpp"
#include "core/memory_plan.hpp"
#include "core/text.hpp"
#include "cpu/isa.hpp"
#include "cpu/kernel.hpp"
#include "cpu/thread_pool.hpp"

namespace mpskit::cpu {
namespace {

using Makers = std::array<Maker, isa_count>;
std::unordered_map<const KernelType*, Makers>& makers() {  // filled by static constructors
  static std::unordered_map<const KernelType*, Makers> map;
  return map;
}

Maker maker_of(const Call& call) {
  const auto found = makers().find(call.kernel.type().identity());
  if (found == makers().end()) return nullptr;
  for (int isa = static_cast<int>(active_isa()); isa >= 0; --isa)
    if (Maker m = found->second[static_cast<std::size_t>(isa)]; m && is_available(static_cast<Isa>(isa))) return m;
  return nullptr;
}
std::string no_kernel() { return "no CPU kernel; allowed there: another device. Pass device=\"metal\" on a Mac."; }

// The temporaries of one submission in one block: two whose lives do not meet share bytes.
class TemporaryMemory {
 public:
  explicit TemporaryMemory(const Submission& s) {
    if (s.temporaries.empty()) return;
    std::vector<Lifetime> lives(s.temporaries.size());
    for (std::size_t w = 0; w < s.works.size(); ++w) {
      for (const Operand& operand : s.works[w].operands) {
        if (!operand.temporary) continue;
        Lifetime& life = lives[operand.temporary->index];
        if (life.bytes == 0) life = {static_cast<std::size_t>(operand.temporary->layout.span_bytes()), w, w};
        life.last = w;
      }
    }
    plan_ = plan_memory(lives);
    if (plan_.bytes > 0) block_ = pool::take(plan_.bytes);
  }
  std::byte* address(const Temporary& t) const { return static_cast<std::byte*>(block_.get()) + plan_.offsets[t.index]; }

 private:
  MemoryPlan plan_;
  std::shared_ptr<void> block_;
};

void run_work(const Work& work, const TemporaryMemory& memory) {
  std::array<View, 8> few;
  std::vector<View> many;
  if (work.operands.size() > few.size()) many.resize(work.operands.size());
  View* views = many.empty() ? few.data() : many.data();
  for (std::size_t i = 0; i < work.operands.size(); ++i) {
    const Operand& o = work.operands[i];
    views[i] = {o.temporary ? memory.address(*o.temporary) : o.storage ? o.data() : nullptr, o.layout};
  }
  static_cast<const CpuPlan&>(*work.plan).run({views, work.operands.size()});
}

void run(Submission& s) {
  const auto begin = std::chrono::steady_clock::now();
  std::exception_ptr error;
  try {
    const TemporaryMemory memory(s);
    for (const Work& work : s.works) run_work(work, memory);
  } catch (...) {
    error = std::current_exception();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  s.works.clear();  // lets go of operands before anybody hears that they are free
  s.completion->finish(error, seconds.count());
}

// Runs submissions one after the other. A caller that waits lends its thread when nothing is before it: no hand-over.
class Queue {
 public:
  void submit(Submission s) {
    std::unique_lock lock(mutex_);
    if (s.caller_waits && !busy_ && waiting_.empty()) {
      busy_ = true;
      lock.unlock();
      run(s);
      lock.lock();
      busy_ = false;
      if (!waiting_.empty() || drainers_ > 0) changed_.notify_all();
      return;
    }
    waiting_.push_back(std::move(s));
    if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
    lock.unlock();
    changed_.notify_all();
  }
  void drain() {
    std::unique_lock lock(mutex_);
    ++drainers_;
    changed_.wait(lock, [this] { return !busy_ && waiting_.empty(); });
    --drainers_;
  }
  // The child of a fork: the thread is gone, and with it the work that was in flight there.
  void forget_thread() {
    new (&mutex_) std::mutex;
    new (&changed_) std::condition_variable;
    new (&thread_) std::thread;
    new (&waiting_) std::deque<Submission>;
    busy_ = false;
    drainers_ = 0;
  }

 private:
  void loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !busy_ && !waiting_.empty(); });
      Submission s = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
      lock.unlock();
      run(s);
      s = {};
      lock.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Submission> waiting_;
  std::thread thread_;
  bool busy_ = false;
  int drainers_ = 0;
};

std::uint64_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? static_cast<std::uint64_t>(pages) * pool::page_bytes() : 0;
}

class CpuEngine final : public Engine {
 public:
  CpuEngine() {
    the_engine = this;
    queues_.push_back(std::make_unique<Queue>());
    pthread_atfork(nullptr, nullptr, [] {
      new (&the_engine->mutex_) std::mutex;
      for (const auto& q : the_engine->queues_) q->forget_thread();
    });
  }
  std::string_view name() const override { return "cpu"; }
  DeviceInfo info() const override {
    DeviceInfo out;
    out.name = cat("CPU engine, ", isa_names[static_cast<std::size_t>(active_isa())], ", ", num_threads(), " threads");
    out.memory_bytes = physical_memory();
    out.max_buffer_bytes = out.memory_bytes;
    for (Isa isa : available_isas()) out.features.emplace_back(isa_names[static_cast<std::size_t>(isa)]);
    return out;
  }
  std::optional<std::string> refuses(const Call& call) const override {
    if (maker_of(call)) return std::nullopt;
    return no_kernel();
  }
  std::shared_ptr<Plan> prepare(const Call& call) override { return make_plan(call); }
  std::optional<std::string> cannot_share(const void*, std::size_t, bool) const override { return std::nullopt; }
  void submit(Submission submission) override { queue(submission.queue).submit(std::move(submission)); }
  void drain() override {
    for (std::size_t id = 0; Queue* q = queue_or_null(id); ++id) q->drain();
  }

 private:
  // Queues live as long as the engine: their numbers are few, and an idle one costs its thread's stack.
  Queue& queue(std::size_t id) {
    std::lock_guard lock(mutex_);
    while (queues_.size() <= id) queues_.push_back(std::make_unique<Queue>());
    return *queues_[id];
  }
  Queue* queue_or_null(std::size_t id) {
    std::lock_guard lock(mutex_);
    return id < queues_.size() ? queues_[id].get() : nullptr;
  }

  static inline CpuEngine* the_engine = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

[[maybe_unused]] const bool registered =
    (Engines::add(0, [] { return std::vector<std::shared_ptr<Engine>>{std::make_shared<CpuEngine>()}; }), true);

}  // namespace

void register_maker(const KernelType& type, Isa isa, Maker maker) {
  makers()[&type][static_cast<std::size_t>(isa)] = maker;
}

std::unique_ptr<CpuPlan> make_plan(const Call& call) {
  if (const Maker maker = maker_of(call)) return maker(call.kernel, call);
  throw UnsupportedError(cat(call.kernel.type().info.name, ": ", no_kernel()));
}

}  // namespace mpskit::cpu
