#pragma once
#include "cpu/image/fold.inl"
#include "cpu/image/median_networks.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Medians of bytes, found from the highest bit down. All pixels of a tile whose medians agree so far ask the same question: how many
// elements of your window begin with these bits and a zero? The answer is a sum over windows of zeros and ones, which grows with
// the logarithm of the diameter; and neighbours mostly agree, so there are few questions: 20 to 40 a tile of a photo, 255 at worst.
class BitSearch {
  using Count = std::uint16_t;

 public:
  static std::size_t bytes(std::int64_t elements) { return 4 * static_cast<std::size_t>(elements + 4 * lanes<std::uint8_t>) * sizeof(Count); }

  BitSearch(const MedianRows<std::uint8_t>& rows, std::byte* workspace) : r_(rows), size_(rows.height * rows.pitch) {
    const std::int64_t each = size_ + 4 * lanes<std::uint8_t>;
    columns_ = reinterpret_cast<Count*>(workspace);
    counts_ = columns_ + each;
    found_ = counts_ + each;
    rank_ = found_ + each;
  }

  void run(std::uint8_t* to) {
    std::fill_n(found_, size_, Count{0});
    std::fill_n(rank_, size_, static_cast<Count>(r_.diameter * r_.diameter / 2));  // so many elements of the window lie below
    ask(7, 0);
    std::copy_n(found_, size_, to);
  }

 private:
  using C = Vec<Count>;
  using B = Vec<std::uint8_t>;

  // For pixels whose median begins with `bits` above bit `b`.
  void ask(int b, unsigned bits) {
    count_columns(static_cast<std::uint8_t>(0xff << b), static_cast<std::uint8_t>(bits));
    const std::int64_t results = size_ - (r_.diameter - 1) * r_.channels;
    sum_runs(columns_, results, r_.diameter, r_.channels, counts_);
    const C above = static_cast<Count>(0xfe << b & 0xff) - C{}, wanted = static_cast<Count>(bits) - C{}, bit = static_cast<Count>(1 << b) - C{};
    C zeros{}, ones{};
    for (std::int64_t x = 0; x < results; x += lanes<Count>) {
      const C found = load<C>(found_ + x), rank = load<C>(rank_ + x), count = load<C>(counts_ + x);
      const C is_mine = (C)((found & above) == wanted), is_one = is_mine & (C)(rank >= count);
      store(found_ + x, found | (is_one & bit));
      store(rank_ + x, rank - (is_one & count));
      ones |= is_one;
      zeros |= is_mine & ~is_one;
    }
    if (b == 0) return;
    if (is_any(zeros)) ask(b - 1, bits);
    if (is_any(ones)) ask(b - 1, bits | 1u << b);
  }
  static bool is_any(C v) {
    Count any = 0;
    for (int i = 0; i < lanes<Count>; ++i) any |= v[i];
    return any != 0;
  }

  // In each column of the tile, over `diameter` rows: elements that equal `value` under `mask`.
  void count_columns(std::uint8_t mask, std::uint8_t value) {
    const B m = mask - B{}, v = value - B{};
    const std::int64_t pitch = r_.pitch, d = r_.diameter;
    for (std::int64_t x = 0; x < pitch; x += lanes<std::uint8_t>) {
      const std::uint8_t* p = r_.data + x;
      auto is_equal = [=](std::int64_t y) { return (B)((load<B>(p + y * pitch) & m) == v); };  // 255 or 0: minus one or none
      B count{};
      for (std::int64_t y = 0; y < d - 1; ++y) count -= is_equal(y);
      for (std::int64_t y = 0; y < r_.height; ++y) {
        count -= is_equal(y + d - 1);
        put(columns_ + y * pitch + x, count);
        count += is_equal(y);
      }
    }
  }
  static MPSKIT_INLINE void put(Count* to, B count) {
    using Half [[gnu::vector_size(MPSKIT_VECTOR_BYTES / 2)]] = std::uint8_t;
    Half halves[2];
    __builtin_memcpy(halves, &count, sizeof count);
    for (int i = 0; i < 2; ++i) store(to + i * lanes<std::uint16_t>, __builtin_convertvector(halves[i], Vec<std::uint16_t>));
  }

  MedianRows<std::uint8_t> r_;
  std::int64_t size_;
  Count *columns_, *counts_, *found_, *rank_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
