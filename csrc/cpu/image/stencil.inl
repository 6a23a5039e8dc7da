#pragma once
// Windows whose every place has a weight of its own. Four rows of weighted sums grow at once, so a source register is loaded once for all
// of them.
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct Stencil {
  std::int64_t width, height, channels;  // of the window; elements from pixel to pixel
};

// Three registers of four rows: as many sums as the multipliers want under way, and no more than there are registers for.
inline constexpr int stencil_columns = 3;
inline constexpr std::int64_t stencil_block = stencil_columns * lanes<float>;

// Rows of a window that go into one sum.
inline std::int64_t stencil_together(std::int64_t width) { return std::max<std::int64_t>(128 / width, 4); }

// Adds a source row to sums of result rows `low` to `high`, in whose windows it lies; `weights` are the last one's, the others' follow.
template <int low, int high, int width>
MPSKIT_INLINE void stencil_feed(const float* row, std::int64_t channels, const float* weights, std::int64_t kernel_width, Vec<float> (&sum)[4][stencil_columns]) {
  asm("" : "+r"(weights));  // or compilers keep every weight at hand, in registers that there are not
  for (std::int64_t i = 0; i < (width ? width : kernel_width); ++i) {
    Vec<float> pixel[stencil_columns];
    for (int c = 0; c < stencil_columns; ++c) pixel[c] = load<Vec<float>>(row + i * channels + c * lanes<float>);
    for (int y = high; y >= low; --y) {
      const Vec<float> w = broadcast(weights + (high - y) * (width ? width : kernel_width) + i);
      for (int c = 0; c < stencil_columns; ++c) sum[y][c] = multiply_add(w, pixel[c], sum[y][c]);
    }
  }
}

// Results of four rows and as many registers. `src` is the window's first element over the first result. Windows of many rows are `tall`: a few
// of their rows go into one sum before it joins the others, so there are few roundings each.
template <int width, bool is_tall>
MPSKIT_INLINE void stencil_four(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, Vec<float> (&sum)[4][stencil_columns]) {
  const std::int64_t n = width ? width : s.width, channels = s.channels, height = s.height;
  for (auto& row : sum)
    for (auto& v : row) v = Vec<float>{};
  if (height == 1) {
    stencil_feed<0, 0, width>(src, channels, weights, n, sum);
    stencil_feed<1, 1, width>(src + pitch, channels, weights, n, sum);
    stencil_feed<2, 2, width>(src + 2 * pitch, channels, weights, n, sum);
    stencil_feed<3, 3, width>(src + 3 * pitch, channels, weights, n, sum);
    return;
  }
  [[maybe_unused]] Vec<float> whole[4][stencil_columns]{};
  stencil_feed<0, 0, width>(src, channels, weights, n, sum);
  stencil_feed<0, 1, width>(src + pitch, channels, weights, n, sum);
  stencil_feed<0, 2, width>(src + 2 * pitch, channels, weights, n, sum);
  src += 3 * pitch;
  for (std::int64_t r = 3; r < height; ++r, src += pitch, weights += n) {
    stencil_feed<0, 3, width>(src, channels, weights, n, sum);
    if constexpr (is_tall)
      if (r % stencil_together(n) == 0)
        for (int y = 0; y < 4; ++y)
          for (int c = 0; c < stencil_columns; ++c) {
            whole[y][c] += sum[y][c];
            sum[y][c] = Vec<float>{};
          }
  }
  stencil_feed<1, 3, width>(src, channels, weights, n, sum);
  stencil_feed<2, 3, width>(src + pitch, channels, weights + n, n, sum);
  stencil_feed<3, 3, width>(src + 2 * pitch, channels, weights + 2 * n, n, sum);
  if constexpr (is_tall)
    for (int y = 0; y < 4; ++y)
      for (int c = 0; c < stencil_columns; ++c) sum[y][c] += whole[y][c];
}

struct StencilRows {
  float* data;
  std::int64_t pitch, rows, count;
  float factor = 1, add = 0;  // of a result
};
template <int width, bool is_tall>
void stencil_blocks(const float* src, std::int64_t pitch, const Stencil s, const float* weights, const StencilRows to) {
  const Vec<float> factor = to.factor - Vec<float>{}, add = to.add - Vec<float>{};
  for (std::int64_t band = 0; band < to.rows; band += 4) {
    const std::int64_t y = std::max<std::int64_t>(std::min(band, to.rows - 4), 0);
    for (std::int64_t block = 0; block < to.count; block += stencil_block) {
      const std::int64_t x = std::max<std::int64_t>(std::min(block, to.count - stencil_block), 0);
      Vec<float> sum[4][stencil_columns];
      float* row = to.data + y * to.pitch + x;
      // Hardware is late with so many rows side by side: the four new ones and those of results are asked for.
      for (int i = 0; i < 4; ++i)
        for (std::int64_t ahead = 64; ahead < 64 + stencil_block; ahead += 16) {
          __builtin_prefetch(src + (y + s.height - 1 + i) * pitch + x + ahead);
          __builtin_prefetch(row + i * to.pitch + ahead, 1);
        }
      stencil_four<width, is_tall>(src + y * pitch + x, pitch, s, weights, sum);
      for (int i = 0; i < 4; ++i, row += to.pitch)
        for (int c = 0; c < stencil_columns; ++c) store(row + c * lanes<float>, multiply_add(sum[i][c], factor, add));
    }
  }
}

// Results of a window at each place of `to`, times its factor, plus what it adds. Blocks of four rows and stencil_block elements: where the
// last one does not fit it begins earlier, and where not even one does, source and destination have the room that it takes.
inline void stencil(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, const StencilRows& to) {
  if (s.height > stencil_together(s.width)) return stencil_blocks<0, true>(src, pitch, s, weights, to);
  switch (s.width) {
    case 1: return stencil_blocks<1, false>(src, pitch, s, weights, to);
    case 3: return stencil_blocks<3, false>(src, pitch, s, weights, to);
    case 5: return stencil_blocks<5, false>(src, pitch, s, weights, to);
    default: return stencil_blocks<0, false>(src, pitch, s, weights, to);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
