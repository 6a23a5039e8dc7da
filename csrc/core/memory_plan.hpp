#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace mpskit {

// Bytes that are needed from step `first` to step `last`, both included. Nothing needs them: first > last, or no bytes.
struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 1, last = 0;
  bool meets(const Lifetime& o) const { return first <= o.last && o.first <= last; }
};

// Where each lies in one block: two that are needed at the same step never share a byte.
struct MemoryPlan {
  std::vector<std::size_t> offsets;  // whole cache lines
  std::size_t bytes = 0;             // of the block
  std::size_t least = 0;             // most bytes needed at any one step: no plan can do with less
};
MemoryPlan plan_memory(std::span<const Lifetime> lifetimes);

}  // namespace mpskit
