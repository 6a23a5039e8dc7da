#pragma once
// Bytes halved with the weights (1, 4, 6, 4, 1) / 16 of each axis, exactly: sums of 16 * 16 * 255 fit into words.
#include "cpu/image/pyramid.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {

MPSKIT_INLINE Words binomial(Words a, Words b, Words c, Words d, Words e) { return a + e + (c << 1) + ((b + c + d) << 2); }

inline constexpr std::int64_t pyramid_codes_step = 2 * lanes<std::uint16_t>;  // elements at once

// Five rows of bytes to one of words, its even and odd pixels apart. Writes whole registers. The next five end `ahead` bytes further, which
// is asked for: hardware is late with two streams that begin anew in every row.
template <int c>
void split_codes(const std::array<const std::uint8_t*, 5>& rows, std::int64_t ahead, std::int64_t pixels, std::int64_t channels, std::uint16_t* even,
                 std::uint16_t* odd, std::uint16_t* whole) {
  constexpr std::int64_t step = pyramid_codes_step;
  const auto block = [&](const std::array<const std::uint8_t*, 5>& r, std::int64_t x, std::int64_t to) __attribute__((always_inline)) {
    if constexpr (c == 1) {  // a word is an even pixel and an odd one
      Words v[5];
      for (std::size_t i = 0; i < 5; ++i) v[i] = load<Words>(r[i] + x);
      store(even + to / 2, binomial(v[0] & 255, v[1] & 255, v[2] & 255, v[3] & 255, v[4] & 255));
      store(odd + to / 2, binomial(v[0] >> 8, v[1] >> 8, v[2] >> 8, v[3] >> 8, v[4] >> 8));
    } else {
      const auto sum = [&](std::int64_t at) __attribute__((always_inline)) {
        return binomial(load_bytes(r[0] + at), load_bytes(r[1] + at), load_bytes(r[2] + at), load_bytes(r[3] + at), load_bytes(r[4] + at));
      };
      const Words a = sum(x), b = sum(x + step / 2);
      if constexpr (c == 0) {
        store(whole + to, a);
        store(whole + to + step / 2, b);
      } else {  // a float is as wide as two words
        Vec<float> e, o;
        split_pixels<c / 2>((Vec<float>)a, (Vec<float>)b, e, o);
        store(even + to / 2, e);
        store(odd + to / 2, o);
      }
    }
  };
  const std::int64_t count = pixels * channels;
  std::int64_t x = 0;
  for (; x + step <= count; x += step) {
    __builtin_prefetch(rows[3] + ahead + x);
    __builtin_prefetch(rows[4] + ahead + x);
    block(rows, x, x);
  }
  if (x < count) {
    std::uint8_t rest[5][step] = {};
    std::array<const std::uint8_t*, 5> short_rows;
    for (std::size_t i = 0; i < 5; ++i) {
      std::memcpy(rest[i], rows[i] + x, static_cast<std::size_t>(count - x));
      short_rows[i] = rest[i];
    }
    block(short_rows, 0, x);
  }
  if constexpr (c == 0) split_row(whole, pixels, channels, even, odd);
}

// The row of the smaller level, rounded to the nearest, halves to even. `pixel` is the elements of one.
inline void binomial_row(const std::uint16_t* even, const std::uint16_t* odd, std::int64_t pixel, std::uint8_t* to, std::int64_t count) {
  constexpr std::int64_t step = 2 * lanes<std::uint16_t>;
  const auto at = [&](std::int64_t x) __attribute__((always_inline)) {
    const Words s = binomial(load<Words>(even + x - pixel), load<Words>(odd + x - pixel), load<Words>(even + x), load<Words>(odd + x), load<Words>(even + x + pixel));
    return (s + 127 + ((s >> 8) & 1)) >> 8;
  };
  std::int64_t x = 0;
  for (; x + step <= count; x += step) store_bytes(to + x, at(x), at(x + step / 2));
  if (x < count) {
    std::uint8_t rest[step];
    store_bytes(rest, at(x), at(x + step / 2));
    std::memcpy(to + x, rest, static_cast<std::size_t>(count - x));
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
