#include "kernels/common/rnn_lengths.hpp"

#include <algorithm>
#include <numeric>

namespace mpskit::rnn {

Lengths::Lengths(std::span<const std::int32_t> given) : sequences_(given.size()), starts_{0} {
  const auto length_of = [&](std::int64_t sequence) { return std::int64_t{given[static_cast<std::size_t>(sequence)]}; };
  std::iota(sequences_.begin(), sequences_.end(), std::int64_t{0});
  std::ranges::sort(sequences_, [&](std::int64_t a, std::int64_t b) { return length_of(a) != length_of(b) ? length_of(a) > length_of(b) : a < b; });
  for (const std::int64_t s : sequences_) lengths_.push_back(length_of(s));
  std::size_t running = lengths_.size();
  for (std::int64_t turn = 0;; ++turn) {
    while (running > 0 && lengths_[running - 1] <= turn) --running;
    if (running == 0) return;
    starts_.push_back(starts_.back() + static_cast<std::int64_t>(running));
  }
}

std::int64_t Lengths::at_once(std::int64_t turn, std::int64_t rows) const {
  std::int64_t count = 1;
  while (turn + count < turns() && rows_of(turn, count + 1) <= rows) ++count;
  return count;
}

std::int64_t Lengths::turn_of(std::int64_t n) const { return std::ranges::upper_bound(starts_, n) - starts_.begin() - 1; }

}  // namespace mpskit::rnn
