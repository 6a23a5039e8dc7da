#include "cpu/thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "core/error.hpp"
#include "core/text.hpp"
#include "cpu/wait.hpp"

namespace mpskit::cpu {
namespace {

// About 50 us of looking before a worker sleeps: regions of one pipeline follow each other closely, and a sleeping thread
// costs 5 to 50 us to wake. The time that others still work on the last region counts a tenth: only behind it can the next one come.
constexpr int spins_for_work = 50000, spin_between = 10, spin_within = 1;
constexpr int spins_for_end = 2000;

int allowed_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// A worker that wakes on the core of the thread which it is to help would wait for it, and Linux may leave it there for
// milliseconds, region after region, while another core is idle.
#if defined(__linux__)
int core_of_this_thread() { return sched_getcpu(); }
void leave_core(int taken) {
  cpu_set_t allowed, others;
  if (sched_getcpu() != taken || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  others = allowed;
  CPU_CLR(static_cast<unsigned>(taken), &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  sched_setaffinity(0, sizeof allowed, &allowed);  // it is elsewhere now, and as free as before
}
#else
int core_of_this_thread() { return -1; }
void leave_core(int) {}
#endif

int initial_threads() {
  if (const char* text = std::getenv("MPSKIT_NUM_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && n >= 1 && n <= 1024) return static_cast<int>(n);
  }
  return allowed_cores();
}

// Neighbouring tasks, which one thread takes first: the same ones region after region, so that it finds in its own cache what it left there.
// A threshold of 2 MB, again and again on two cores with 2 MB each: 62 us for 74, a row added to all rows 73 for 97 (Sapphire Rapids).
struct alignas(64) TaskShare {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

struct Region {
  Region(std::span<TaskShare> all, std::int64_t tasks, detail::Task body, void* argument) : task(body), context(argument), shares(all) {
    const auto count = static_cast<std::int64_t>(all.size());
    for (std::int64_t i = 0; i < count; ++i) {
      TaskShare& share = shares[static_cast<std::size_t>(i)];
      share.next.store(i * tasks / count, std::memory_order_relaxed);
      share.end = (i + 1) * tasks / count;
    }
  }
  detail::Task task;
  void* context;
  std::span<TaskShare> shares;
  std::atomic<int> inside{0};  // workers that may still touch this region
  std::mutex mutex;
  std::exception_ptr error;

  // The thread's own share, then what is left of the others'.
  void work(std::size_t thread) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      TaskShare& share = shares[(thread + i) % shares.size()];
      for (std::int64_t t; (t = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        try {
          task(context, t);
        } catch (...) {
          std::lock_guard lock(mutex);
          if (!error) error = std::current_exception();
          for (TaskShare& s : shares) s.next.store(s.end, std::memory_order_relaxed);
        }
      }
    }
  }
};

thread_local bool inside_region = false;

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads), shares_(static_cast<std::size_t>(threads)) {}

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void resize(int n) {
    std::lock_guard region(region_mutex_);  // between regions
    stop();
    threads_ = n;
    shares_ = std::vector<TaskShare>(static_cast<std::size_t>(n));
  }

  void run(std::int64_t tasks, detail::Task task, void* context) {
    if (threads() == 1 || inside_region) {
      for (std::int64_t t = 0; t < tasks; ++t) task(context, t);
      return;
    }
    std::lock_guard one_at_a_time(region_mutex_);
    start();
    Region region(std::span<TaskShare>(shares_).first(static_cast<std::size_t>(std::min<std::int64_t>(tasks, threads()))), tasks, task, context);
    {
      std::lock_guard lock(mutex_);
      core_ = core_of_this_thread();
      current_ = &region;
      in_region_.store(true, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    inside_region = true;
    region.work(0);
    inside_region = false;
    {
      std::lock_guard lock(mutex_);
      current_ = nullptr;  // nobody enters any more
    }
    in_region_.store(false, std::memory_order_relaxed);
    spin_until(spins_for_end, [&] { return region.inside.load(std::memory_order_acquire) == 0; });
    if (region.error) std::rethrow_exception(region.error);
  }

  // The child of a fork has this object and none of its threads.
  void forget_threads() {
    new (&workers_) std::vector<std::thread>;
    new (&mutex_) std::mutex;
    new (&region_mutex_) std::mutex;
    new (&wake_) std::condition_variable;
    current_ = nullptr;
    inside_region = false;
  }

 private:
  void start() {
    while (static_cast<int>(workers_.size()) < threads() - 1) {
      const std::uint64_t seen = generation_.load();
      workers_.emplace_back([this, seen, thread = workers_.size() + 1] { loop(seen, thread); });
    }
  }
  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (std::thread& w : workers_) w.join();
    workers_.clear();
    stopping_ = false;
  }
  void loop(std::uint64_t seen, std::size_t thread) {
    inside_region = true;  // a region inside a task stays on this thread
    for (;;) {
      for (int i = 0; i < spins_for_work && generation_.load(std::memory_order_acquire) == seen;
           i += in_region_.load(std::memory_order_relaxed) ? spin_within : spin_between)
        pause();
      Region* region = nullptr;
      int core = -1;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
        seen = generation_.load(std::memory_order_relaxed);
        if (stopping_) return;
        core = core_;
        region = current_;
        if (region) region->inside.fetch_add(1, std::memory_order_relaxed);
      }
      leave_core(core);
      if (!region) continue;
      region->work(thread);
      region->inside.fetch_sub(1, std::memory_order_release);
    }
  }

  std::atomic<int> threads_;
  std::vector<TaskShare> shares_;  // of the region that runs
  std::mutex region_mutex_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> in_region_{false};  // the caller of the last one is at work: a hint
  Region* current_ = nullptr;
  int core_ = -1;  // where the caller of the last region ran
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

// Never destroyed: detached work may run while the process ends.
Pool& the_pool() {
  static Pool* pool = [] {
    auto* p = new Pool(initial_threads());
    pthread_atfork(nullptr, nullptr, [] { the_pool().forget_threads(); });
    return p;
  }();
  return *pool;
}

}  // namespace

SerialScope::SerialScope() : previous_(std::exchange(inside_region, true)) {}
SerialScope::~SerialScope() { inside_region = previous_; }

int num_threads() { return the_pool().threads(); }
int threads_here() { return inside_region ? 1 : num_threads(); }

void set_num_threads(int n) {
  if (n < 1 || n > 1024)
    throw ValueError(cat("set_num_threads: n is ", n, "; allowed: 1 <= n <= 1024. This machine has ", allowed_cores(), " cores."));
  the_pool().resize(n);
}

void detail::run_parallel(std::int64_t tasks, Task task, void* context) { the_pool().run(tasks, task, context); }

}  // namespace mpskit::cpu
