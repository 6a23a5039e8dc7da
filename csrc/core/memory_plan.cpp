#include "core/memory_plan.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mpskit {
namespace {

constexpr std::size_t line = 128;  // two cache lines: the prefetcher fetches pairs
std::size_t in_lines(std::size_t bytes) { return (bytes + line - 1) / line * line; }

// The largest first, each at the lowest place that is free for its whole life. (Pisarchyk and Lee, "Efficient Memory
// Management for Deep Neural Net Inference", 2020, find this order within a few per cent of the bound on common networks.)
MemoryPlan place(std::span<const Lifetime> lives, std::span<const std::size_t> order) {
  MemoryPlan plan;
  plan.offsets.assign(lives.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const std::size_t bytes = in_lines(lives[i].bytes);
    std::size_t begin = 0;
    for (const std::size_t p : placed) {
      if (!lives[p].meets(lives[i])) continue;
      if (begin + bytes <= plan.offsets[p]) break;  // fits before it
      begin = std::max(begin, plan.offsets[p] + in_lines(lives[p].bytes));
    }
    plan.offsets[i] = begin;
    plan.bytes = std::max(plan.bytes, begin + bytes);
    const auto behind = std::ranges::upper_bound(placed, begin, {}, [&](std::size_t p) { return plan.offsets[p]; });
    placed.insert(behind, i);
  }
  return plan;
}

std::size_t least_bytes(std::span<const Lifetime> lives, std::span<const std::size_t> used) {
  // Sums change only where a life begins.
  std::size_t most = 0;
  for (const std::size_t at : used) {
    std::size_t sum = 0;
    for (const std::size_t i : used)
      if (lives[i].first <= lives[at].first && lives[at].first <= lives[i].last) sum += in_lines(lives[i].bytes);
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lives) {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < lives.size(); ++i)
    if (lives[i].bytes > 0 && lives[i].first <= lives[i].last) used.push_back(i);
  const std::size_t least = least_bytes(lives, used);

  std::vector<std::size_t> order = used;
  // Not stable_sort: clang 19 warns inside libstdc++'s. Equal ones keep their order by their numbers.
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(~lives[i].bytes, i); });
  MemoryPlan best = place(lives, order);
  if (best.bytes > least) {  // in order of their beginning some cases pack better
    order = used;
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(lives[i].first, i); });
    if (MemoryPlan other = place(lives, order); other.bytes < best.bytes) best = std::move(other);
  }
  best.least = least;
  return best;
}

}  // namespace mpskit
