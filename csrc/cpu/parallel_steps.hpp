#pragma once
#include <cstdint>
#include <type_traits>

// Steps that follow from each other, each made of blocks that do not: a recurrent layer's time steps. One parallel region for
// all of them, because a step is often shorter than waking a thread.
namespace mpskit::cpu {

namespace detail {
using Block = void (*)(void* context, std::int64_t step, std::int64_t block);
void run_steps(std::int64_t steps, std::int64_t blocks, Block block, void* context);
}  // namespace detail

// body(step, block) for all blocks of step 0, then of step 1, and so on: a step begins when the one before is complete, and sees
// what it wrote. A thread meets the same blocks in every step while all keep pace, so that what they read stays in its cache.
// Threads that come late, or not at all, delay nobody: their blocks are taken by the others.
template <class F>
void parallel_steps(std::int64_t steps, std::int64_t blocks, F&& body) {
  using Body = std::remove_reference_t<F>;
  detail::run_steps(
      steps, blocks, [](void* context, std::int64_t step, std::int64_t block) { (*static_cast<Body*>(context))(step, block); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace mpskit::cpu
