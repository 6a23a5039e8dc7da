#include "cpu/parallel_steps.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>

#include "cpu/thread_pool.hpp"
#include "cpu/wait.hpp"

namespace mpskit::cpu {
namespace {

constexpr int spins = 4000;  // some 40 us: more than any block of a step

// The blocks that one thread takes first. The claim carries its step, so that a late thread cannot take a block of a step that
// is over.
struct alignas(64) Share {
  std::atomic<std::uint64_t> claim{0};  // step << 32 | blocks of it that are taken
  std::int64_t begin = 0, count = 0;

  std::int64_t take(std::int64_t step) {  // -1: none is left
    const auto now = static_cast<std::uint64_t>(step) << 32;
    std::uint64_t seen = claim.load(std::memory_order_relaxed);
    for (;;) {
      if (seen >> 32 > static_cast<std::uint64_t>(step)) return -1;
      const std::uint64_t taken = seen < now ? 0 : seen - now;  // the step before is complete, or nobody would ask for this one
      if (taken >= static_cast<std::uint64_t>(count)) return -1;
      if (claim.compare_exchange_weak(seen, now | (taken + 1), std::memory_order_relaxed)) return begin + static_cast<std::int64_t>(taken);
    }
  }
};

struct Team {
  std::int64_t steps, blocks, members;
  detail::Block block;
  void* context;
  std::unique_ptr<Share[]> shares;
  alignas(64) std::atomic<std::int64_t> done{0};  // blocks, of all steps

  void work(std::int64_t member) {
    for (;;) {
      const std::int64_t step = done.load(std::memory_order_acquire) / blocks;
      if (step >= steps) return;
      std::int64_t finished = 0;
      for (std::int64_t i = 0; i < members; ++i)
        for (std::int64_t b; (b = shares[static_cast<std::size_t>((member + i) % members)].take(step)) >= 0; ++finished) block(context, step, b);
      if (finished > 0) done.fetch_add(finished, std::memory_order_acq_rel);
      spin_until(spins, [&] { return done.load(std::memory_order_acquire) >= (step + 1) * blocks; });
    }
  }
  void abandon() { done.store(std::numeric_limits<std::int64_t>::max() / 2, std::memory_order_release); }
};

}  // namespace

void detail::run_steps(std::int64_t steps, std::int64_t blocks, Block block, void* context) {
  if (steps <= 0 || blocks <= 0) return;
  const std::int64_t members = std::min<std::int64_t>(num_threads(), blocks);
  if (members == 1) {
    for (std::int64_t step = 0; step < steps; ++step)
      for (std::int64_t b = 0; b < blocks; ++b) block(context, step, b);
    return;
  }
  Team team{steps, blocks, members, block, context, std::make_unique<Share[]>(static_cast<std::size_t>(members))};
  for (std::int64_t m = 0; m < members; ++m) {
    Share& share = team.shares[static_cast<std::size_t>(m)];
    share.begin = m * blocks / members;
    share.count = (m + 1) * blocks / members - share.begin;
  }
  parallel(members, [&](std::int64_t member) {
    try {
      team.work(member);
    } catch (...) {
      team.abandon();  // nobody waits for the blocks that this thread took
      throw;
    }
  });
}

}  // namespace mpskit::cpu
