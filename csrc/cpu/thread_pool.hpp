#pragma once
#include <cstdint>
#include <type_traits>

// One pool for the process. A parallel region is a number of tasks; the calling thread works too. Regions do not nest: a
// region inside a task runs on its own thread. Results must not depend on which thread runs which task, so reductions
// combine per task, in order of the tasks.
namespace mpskit::cpu {

int num_threads();            // MPSKIT_NUM_THREADS, or the cores this process may use
int threads_here();           // ... of a region that begins here: 1 within another, or in a SerialScope
void set_num_threads(int n);  // ValueError unless 1 <= n <= 1024

// While it lives, parallel regions of this thread run on this thread alone: for callers that work on several items at once
// and are better served by one item a core.
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  bool previous_;
};

namespace detail {
using Task = void (*)(void* context, std::int64_t task);
void run_parallel(std::int64_t tasks, Task task, void* context);
}  // namespace detail

// body(task) for every task in [0, tasks), on as many threads as there are. An exception of a task leaves here.
template <class F>
void parallel(std::int64_t tasks, F&& body) {
  if (tasks <= 0) return;
  if (tasks == 1) return body(std::int64_t{0});
  using Body = std::remove_reference_t<F>;
  detail::run_parallel(
      tasks, [](void* context, std::int64_t task) { (*static_cast<Body*>(context))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// body(begin, end) over [0, count) in pieces of about `grain`; one piece runs here without waking anybody. Choose a grain
// worth some 20 us: waking a thread costs about 5.
template <class F>
void parallel_for(std::int64_t count, std::int64_t grain, F&& body) {
  if (count <= 0) return;
  if (grain < 1) grain = 1;
  const std::int64_t pieces = (count + grain - 1) / grain;
  if (pieces == 1) return body(std::int64_t{0}, count);
  parallel(pieces, [&](std::int64_t piece) {
    const std::int64_t begin = piece * grain;
    body(begin, begin + grain < count ? begin + grain : count);
  });
}

}  // namespace mpskit::cpu
