#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace mpskit::rnn {

// Sequences of different lengths, the longest first: those that still run in a turn are the first rows. Equal ones keep their order.
// Turn k is each sequence's own k-th step, which is its k-th last one where a chain runs backward.
class Lengths {
 public:
  explicit Lengths(std::span<const std::int32_t> given);
  std::int64_t turns() const { return static_cast<std::int64_t>(starts_.size()) - 1; }
  std::int64_t sequence(std::int64_t row) const { return sequences_[static_cast<std::size_t>(row)]; }
  std::int64_t length(std::int64_t row) const { return lengths_[static_cast<std::size_t>(row)]; }
  std::int64_t start(std::int64_t turn) const { return starts_[static_cast<std::size_t>(turn)]; }  // rows of all turns before this one
  std::int64_t rows_of(std::int64_t turn, std::int64_t count = 1) const { return start(turn + count) - start(turn); }
  // Turns from this one on that have so many rows, and one at least.
  std::int64_t at_once(std::int64_t turn, std::int64_t rows) const;
  std::int64_t turn_of(std::int64_t n) const;  // the turn that has the n-th of all rows

 private:
  std::vector<std::int64_t> sequences_, lengths_, starts_;
};

}  // namespace mpskit::rnn
