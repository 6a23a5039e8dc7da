#pragma once
// Runs the programs of a network of ranks on rows of a tile.
#include "cpu/image/order.inl"
#include "cpu/rank_network.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Registers that one program works on together: what an exchange waits for is in memory, and two of them wait at the same time.
constexpr int rank_registers = 2;

template <class T>
struct RankRegisters {
  Vec<T> v[rank_registers];
  explicit MPSKIT_INLINE RankRegisters(const std::byte* p) {
    for (int i = 0; i < rank_registers; ++i) v[i] = load<Vec<T>>(p + i * MPSKIT_VECTOR_BYTES);
  }
  MPSKIT_INLINE void store_to(std::byte* p) const {
    for (int i = 0; i < rank_registers; ++i) store(p + i * MPSKIT_VECTOR_BYTES, v[i]);
  }
};
template <class T, class Op>
MPSKIT_INLINE RankRegisters<T> both(RankRegisters<T> a, const RankRegisters<T>& b, Op op) {
  for (int i = 0; i < rank_registers; ++i) a.v[i] = op(a.v[i], b.v[i]);
  return a;
}

// An exchange's two stores take longer than it takes to read where they go: code made of all these programs would be no faster.
template <class T>
void run_ranks(const RankNetwork& n, std::int64_t pixels, std::int64_t pixel_bytes, std::byte* rows) {
  using R = RankRegisters<T>;
  for (const RankProgram& p : n.programs) {
    std::byte* const end = rows + (pixels + p.more) * pixel_bytes;
    for (std::byte* at = rows; at < end; at += sizeof(R)) {
      const RankExchange *e = p.exchanges.data(), *const first = e;
      const auto exchange_until = [&](const RankExchange* last) __attribute__((always_inline)) {
        for (; e < last; ++e) {
          const R a(at + e->a), b(at + e->b);
          both(a, b, Lower{}).store_to(at + e->low);
          both(a, b, Upper{}).store_to(at + e->high);
        }
      };
      for (const RankSelection& s : p.selections) {
        exchange_until(first + s.after);
        const RankPair* pair = p.pairs.data() + s.begin;
        const auto upper_of = [&] { return both(R(at + pair->a), R(at + pair->b), Upper{}); };
        R least = upper_of();
        for (const RankPair* const last = p.pairs.data() + s.end; ++pair < last;) least = both(least, upper_of(), Lower{});
        least.store_to(at + s.to);
      }
      exchange_until(first + p.exchanges.size());
    }
  }
}

// `ways` pixels that make up one word of a register, to a row each, and back: whole registers as long as there are.
template <class Pixel, class Word>
std::int64_t deal_words(const std::byte* from, std::int64_t pixels, std::byte* to, std::int64_t pitch) {
  constexpr int ways = sizeof(Word) / sizeof(Pixel), count = lanes<Word>;
  using Part [[gnu::vector_size(count * sizeof(Pixel))]] = Pixel;
  std::int64_t x = 0;
  for (; x + ways * count <= pixels; x += ways * count) {
    const auto words = load<Vec<Word>>(from + x * static_cast<std::int64_t>(sizeof(Pixel)));
    for (int w = 0; w < ways; ++w)
      store(to + w * pitch + x / ways * static_cast<std::int64_t>(sizeof(Pixel)), __builtin_convertvector(words >> (8 * static_cast<int>(sizeof(Pixel)) * w), Part));
  }
  return x;
}
template <class Pixel, class Word>
std::int64_t gather_words(const std::byte* from, std::int64_t pitch, std::int64_t pixels, std::byte* to) {
  constexpr int ways = sizeof(Word) / sizeof(Pixel), count = lanes<Word>;
  using Part [[gnu::vector_size(count * sizeof(Pixel))]] = Pixel;
  std::int64_t x = 0;
  for (; x + ways * count <= pixels; x += ways * count) {
    Vec<Word> words{};
    for (int w = 0; w < ways; ++w)
      words |= __builtin_convertvector(load<Part>(from + w * pitch + x / ways * static_cast<std::int64_t>(sizeof(Pixel))), Vec<Word>) << (8 * static_cast<int>(sizeof(Pixel)) * w);
    store(to + x * static_cast<std::int64_t>(sizeof(Pixel)), words);
  }
  return x;
}

// Pixel p of a row goes to place p / ways of row p % ways, and back: `size` bytes of it, a constant where that is usual, of `step`.
template <class Size>
void deal_pixels(Size size, const std::byte* from, std::int64_t step, std::int64_t pixels, std::int64_t ways, std::byte* to, std::int64_t pitch) {
  std::int64_t done = 0;
  if constexpr (std::is_same_v<Size, std::integral_constant<std::int64_t, 1>>) {
    if (ways == 2) done = deal_words<std::uint8_t, std::uint16_t>(from, pixels, to, pitch);
    else if (ways == 4) done = deal_words<std::uint8_t, std::uint32_t>(from, pixels, to, pitch);
  }
  for (std::int64_t w = 0; w < ways; ++w)
    for (std::int64_t x = done + w, i = done / ways * size; x < pixels; x += ways, i += size) __builtin_memcpy(to + w * pitch + i, from + x * step, static_cast<std::size_t>(size));
}
template <class Size>
void gather_pixels(Size size, const std::byte* from, std::int64_t pitch, std::int64_t pixels, std::int64_t ways, std::byte* to, std::int64_t step) {
  std::int64_t done = 0;
  if constexpr (std::is_same_v<Size, std::integral_constant<std::int64_t, 1>>) {
    if (ways == 2) done = gather_words<std::uint8_t, std::uint16_t>(from, pitch, pixels, to);
    else if (ways == 4) done = gather_words<std::uint8_t, std::uint32_t>(from, pitch, pixels, to);
  }
  for (std::int64_t w = 0; w < ways; ++w)
    for (std::int64_t x = done + w, i = done / ways * size; x < pixels; x += ways, i += size) __builtin_memcpy(to + x * step, from + w * pitch + i, static_cast<std::size_t>(size));
}
template <class F>
void visit_pixel_bytes(std::int64_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(std::integral_constant<std::int64_t, 1>{});
    case 2: return f(std::integral_constant<std::int64_t, 2>{});
    case 3: return f(std::integral_constant<std::int64_t, 3>{});
    case 4: return f(std::integral_constant<std::int64_t, 4>{});
    case 8: return f(std::integral_constant<std::int64_t, 8>{});
    case 12: return f(std::integral_constant<std::int64_t, 12>{});
    case 16: return f(std::integral_constant<std::int64_t, 16>{});
    default: return f(bytes);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
