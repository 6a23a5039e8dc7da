#pragma once
// Windows whose every place has a weight of its own. Some rows of weighted sums grow at once, so a source register is loaded once for all
// of them.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct Stencil {
  std::int64_t width, height, channels;  // of the window; elements from pixel to pixel
};

// Three registers of some rows: as many sums as the multipliers want under way, and no more than there are registers for. A register of
// 64 bytes crosses a cache line in nearly every place, which takes the time of two loads: six rows share it.
inline constexpr int stencil_columns = 3, stencil_rows = MPSKIT_VECTOR_BYTES == 64 ? 6 : 4;
inline constexpr std::int64_t stencil_block = stencil_columns * lanes<float>;
template <int rows, int columns>
using SumsOf = Vec<float>[rows][columns];
using StencilSums = SumsOf<stencil_rows, stencil_columns>;

// Rows of a window that go into one sum.
inline std::int64_t stencil_together(std::int64_t width) { return std::max<std::int64_t>(128 / width, 4); }

// In a register: compilers would load it again for every product, and a register that crosses a cache line takes two loads' time.
MPSKIT_INLINE Vec<float> held(Vec<float> v) {
#if MPSKIT_VECTOR_BYTES == 64  // narrower ones cross fewer lines, and their registers are too few for it
  asm volatile("" : "+v"(v));
#endif
  return v;
}

// Adds a source row to sums of result rows `low` to `high`, in whose windows it lies; `weights` are the last one's, the others' follow.
template <int low, int high, int width, int rows, int columns>
MPSKIT_INLINE void stencil_feed(const float* row, std::int64_t channels, const float* weights, std::int64_t kernel_width, SumsOf<rows, columns>& sum) {
  asm("" : "+r"(weights));  // or compilers keep every weight at hand, in registers that there are not
  for (std::int64_t i = 0; i < (width ? width : kernel_width); ++i) {
    Vec<float> pixel[columns];
    for (int c = 0; c < columns; ++c) pixel[c] = held(load<Vec<float>>(row + i * channels + c * lanes<float>));
    for (int y = high; y >= low; --y) {
      const Vec<float> w = held(broadcast(weights + (high - y) * (width ? width : kernel_width) + i));
      for (int c = 0; c < columns; ++c) sum[y][c] = multiply_add(w, pixel[c], sum[y][c]);
    }
  }
}

// Results of some rows and as many registers. `src` is the window's first element over the first result. `height` of the window where it is lower
// than a row's results need, else 0. Windows of many rows are `tall`: a few of their rows go into one sum before it joins the others, so
// there are few roundings each.
template <int width, int height, bool is_tall, int rows, int columns>
MPSKIT_INLINE void stencil_some(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, SumsOf<rows, columns>& sum) {
  const std::int64_t n = width ? width : s.width, channels = s.channels;
  for (auto& row : sum)
    for (auto& v : row) v = Vec<float>{};
  constexpr int last = rows - 1;
  if constexpr (height) {
    [&]<int... r>(std::integer_sequence<int, r...>) __attribute__((always_inline)) {
      (stencil_feed<std::max(r - height + 1, 0), std::min(r, last), width, rows, columns>(src + r * pitch, channels, weights + std::max(r - last, 0) * n, n, sum), ...);
    }(std::make_integer_sequence<int, last + height>{});
    return;
  }
  [[maybe_unused]] SumsOf<rows, columns> whole{};
  [&]<int... r>(std::integer_sequence<int, r...>) __attribute__((always_inline)) {
    (stencil_feed<0, r, width, rows, columns>(src + r * pitch, channels, weights, n, sum), ...);
  }(std::make_integer_sequence<int, last>{});
  src += last * pitch;
  for (std::int64_t r = last; r < s.height; ++r, src += pitch, weights += n) {
    stencil_feed<0, last, width, rows, columns>(src, channels, weights, n, sum);
    if constexpr (is_tall)
      if (r % stencil_together(n) == 0)
        for (int y = 0; y < rows; ++y)
          for (int c = 0; c < columns; ++c) {
            whole[y][c] += sum[y][c];
            sum[y][c] = Vec<float>{};
          }
  }
  [&]<int... r>(std::integer_sequence<int, r...>) __attribute__((always_inline)) {
    (stencil_feed<r + 1, last, width, rows, columns>(src + r * pitch, channels, weights + r * n, n, sum), ...);
  }(std::make_integer_sequence<int, last>{});
  if constexpr (is_tall)
    for (int y = 0; y < rows; ++y)
      for (int c = 0; c < columns; ++c) sum[y][c] += whole[y][c];
}

struct StencilRows {
  float* data;
  std::int64_t pitch, rows, count;
  float factor = 1, add = 0;  // of a result
};
// body(source, sums) for each block of results, of whose windows the first element is `source`; then they are stored.
template <class Body>
MPSKIT_INLINE void each_stencil_block(const float* src, std::int64_t pitch, std::int64_t height, const StencilRows& to, Body body) {
  const Vec<float> factor = to.factor - Vec<float>{}, add = to.add - Vec<float>{};
  for (std::int64_t band = 0; band < to.rows; band += stencil_rows) {
    const std::int64_t y = std::max<std::int64_t>(std::min(band, to.rows - stencil_rows), 0);
    for (std::int64_t block = 0; block < to.count; block += stencil_block) {
      const std::int64_t x = std::max<std::int64_t>(std::min(block, to.count - stencil_block), 0);
      StencilSums sum;
      float* row = to.data + y * to.pitch + x;
      // Hardware is late with so many rows side by side: the new ones and those of results are asked for.
      for (int i = 0; i < stencil_rows; ++i)
        for (std::int64_t ahead = 64; ahead < 64 + stencil_block; ahead += 16) {
          __builtin_prefetch(src + (y + height - 1 + i) * pitch + x + ahead);
          __builtin_prefetch(row + i * to.pitch + ahead, 1);
        }
      body(src + y * pitch + x, sum);
      for (int i = 0; i < stencil_rows; ++i, row += to.pitch)
        for (int c = 0; c < stencil_columns; ++c) store(row + c * lanes<float>, multiply_add(sum[i][c], factor, add));
    }
  }
}
template <int width, int height, bool is_tall>
void stencil_blocks(const float* src, std::int64_t pitch, const Stencil s, const float* weights, const StencilRows to) {
  each_stencil_block(src, pitch, s.height, to,
                     [=](const float* from, StencilSums& sum) __attribute__((always_inline)) { stencil_some<width, height, is_tall>(from, pitch, s, weights, sum); });
}

// Results of a window at each place of `to`, times its factor, plus what it adds. Blocks of stencil_rows rows and stencil_block elements: where the
// last one does not fit it begins earlier, and where not even one does, source and destination have the room that it takes.
template <int height>
void stencil_of_height(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, const StencilRows& to) {
  switch (s.width) {
    case 1: return stencil_blocks<1, height, false>(src, pitch, s, weights, to);
    case 3: return stencil_blocks<3, height, false>(src, pitch, s, weights, to);
    case 5:
      if constexpr (stencil_rows == 4) return stencil_blocks<5, height, false>(src, pitch, s, weights, to);  // unrolled, six rows spill
      [[fallthrough]];
    default: return stencil_blocks<0, height, false>(src, pitch, s, weights, to);
  }
}
inline void stencil(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, const StencilRows& to) {
  if (s.height == 1) return stencil_of_height<1>(src, pitch, s, weights, to);
  if constexpr (stencil_rows > 4)
    if (s.height == 3) return stencil_of_height<3>(src, pitch, s, weights, to);
  if (s.height > stencil_together(s.width)) return stencil_blocks<0, 0, true>(src, pitch, s, weights, to);
  stencil_of_height<0>(src, pitch, s, weights, to);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
