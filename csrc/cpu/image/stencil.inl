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

// Results of four rows and as many registers. `src` is the window's first element over the first result.
template <int width>
MPSKIT_INLINE void stencil_four(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, Vec<float> (&out)[4][stencil_columns]) {
  using V = Vec<float>;
  constexpr int columns = stencil_columns;
  const std::int64_t kernel_width = width ? width : s.width;
  // Rows of the window that go into one sum before it joins the others: few roundings each.
  const std::int64_t together = std::max<std::int64_t>(128 / kernel_width, 4);
  V part[4][columns];
  for (int y = 0; y < 4; ++y)
    for (int c = 0; c < columns; ++c) part[y][c] = V{};
  bool is_joined = false;
  const auto join = [&]() __attribute__((always_inline)) {
    for (int y = 0; y < 4; ++y)
      for (int c = 0; c < columns; ++c) {
        out[y][c] = is_joined ? out[y][c] + part[y][c] : part[y][c];
        part[y][c] = V{};
      }
    is_joined = true;
  };
  // Source row r lies in the windows of result rows `low` to `high`.
  const auto feed = [&]<int low, int high>(std::integral_constant<int, low>, std::integral_constant<int, high>, std::int64_t r) __attribute__((always_inline)) {
    const float *row = src + r * pitch, *weight = weights + (r - high) * kernel_width;
    for (std::int64_t i = 0; i < kernel_width; ++i) {
      V pixel[columns];
      for (int c = 0; c < columns; ++c) pixel[c] = load<V>(row + i * s.channels + c * lanes<float>);
      for (int y = high; y >= low; --y) {
        const V w = broadcast(weight + (high - y) * kernel_width + i);
        for (int c = 0; c < columns; ++c) part[y][c] = multiply_add(w, pixel[c], part[y][c]);
      }
    }
  };
#define MPSKIT_FEED(low, high, r) feed(std::integral_constant<int, low>{}, std::integral_constant<int, high>{}, r)
  if (s.height < 3) {
    for (std::int64_t j = 0; j < s.height; ++j) {
      MPSKIT_FEED(0, 0, j);
      MPSKIT_FEED(1, 1, j + 1);
      MPSKIT_FEED(2, 2, j + 2);
      MPSKIT_FEED(3, 3, j + 3);
    }
  } else {
    MPSKIT_FEED(0, 0, 0);
    MPSKIT_FEED(0, 1, 1);
    MPSKIT_FEED(0, 2, 2);
    for (std::int64_t r = 3; r < s.height; ++r) {
      MPSKIT_FEED(0, 3, r);
      if (r % together == 0) join();
    }
    MPSKIT_FEED(1, 3, s.height);
    MPSKIT_FEED(2, 3, s.height + 1);
    MPSKIT_FEED(3, 3, s.height + 2);
  }
#undef MPSKIT_FEED
  join();
}

// Results of `rows` x `count` elements, times `factor`, plus `add`. Blocks of four rows and stencil_block elements: where the last one does
// not fit it begins earlier, and where not even one does, source and destination have the room that it takes.
inline void stencil(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, std::int64_t rows, std::int64_t count, float* dst,
                    std::int64_t dst_pitch, float factor = 1, float add = 0) {
  const auto go = [&]<int width>(std::integral_constant<int, width>) {
    Vec<float> out[4][stencil_columns];
    for (std::int64_t band = 0; band < rows; band += 4) {
      const std::int64_t y = std::max<std::int64_t>(std::min(band, rows - 4), 0);
      for (std::int64_t block = 0; block < count; block += stencil_block) {
        const std::int64_t x = std::max<std::int64_t>(std::min(block, count - stencil_block), 0);
        stencil_four<width>(src + y * pitch + x, pitch, s, weights, out);
        for (int i = 0; i < 4; ++i)
          for (int c = 0; c < stencil_columns; ++c)
            store(dst + (y + i) * dst_pitch + x + c * lanes<float>, multiply_add(out[i][c], factor - Vec<float>{}, add - Vec<float>{}));
      }
    }
  };
  switch (s.width) {
    case 1: return go(std::integral_constant<int, 1>{});
    case 3: return go(std::integral_constant<int, 3>{});
    case 5: return go(std::integral_constant<int, 5>{});
    default: return go(std::integral_constant<int, 0>{});
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
