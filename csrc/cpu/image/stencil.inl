#pragma once
// Windows whose every place has a weight of its own. Four rows of weighted sums grow at once, so a source register is loaded once for all
// of them.
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct Stencil {
  std::int64_t width, height, channels;  // of the window; elements from pixel to pixel
};

// Results of four rows and `columns` registers. `src` is the window's first element over the first result.
template <int columns, int width>
MPSKIT_INLINE void stencil_four(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, Vec<float> (&out)[4][columns]) {
  using V = Vec<float>;
  const std::int64_t kernel_width = width ? width : s.width;
  // Rows of the window that go into one sum before it joins the others: few roundings each.
  const std::int64_t together = std::max<std::int64_t>(128 / kernel_width, 4);
  V part[4][columns];
  for (int y = 0; y < 4; ++y)
    for (int c = 0; c < columns; ++c) out[y][c] = part[y][c] = V{};
  auto join = [&] {
    for (int y = 0; y < 4; ++y)
      for (int c = 0; c < columns; ++c) {
        out[y][c] += part[y][c];
        part[y][c] = V{};
      }
  };
  for (std::int64_t r = 0; r < s.height + 3; ++r) {
    const float* row = src + r * pitch;
    // Source row r lies in the windows of result rows `low` to `high`.
    auto feed = [&]<int low, int high>(std::integral_constant<int, low>, std::integral_constant<int, high>) __attribute__((always_inline)) {
      for (std::int64_t i = 0; i < kernel_width; ++i) {
        V pixel[columns];
        for (int c = 0; c < columns; ++c) pixel[c] = load<V>(row + i * s.channels + c * lanes<float>);
        for (int y = low; y <= high; ++y) {
          const V weight = broadcast(weights + (r - y) * kernel_width + i);
          for (int c = 0; c < columns; ++c) part[y][c] = multiply_add(weight, pixel[c], part[y][c]);
        }
      }
    };
    const std::int64_t low = std::max<std::int64_t>(0, r - s.height + 1), high = std::min<std::int64_t>(3, r);
    using std::integral_constant;
#define MPSKIT_FEED(a, b) \
  case a * 4 + b: feed(integral_constant<int, a>{}, integral_constant<int, b>{}); break
    switch (low * 4 + high) {
      MPSKIT_FEED(0, 0);
      MPSKIT_FEED(0, 1);
      MPSKIT_FEED(0, 2);
      MPSKIT_FEED(0, 3);
      MPSKIT_FEED(1, 1);
      MPSKIT_FEED(1, 2);
      MPSKIT_FEED(1, 3);
      MPSKIT_FEED(2, 2);
      MPSKIT_FEED(2, 3);
      MPSKIT_FEED(3, 3);
      default: break;
    }
#undef MPSKIT_FEED
    if (r % together == together - 1 && r + 1 < s.height + 3) join();
  }
  join();
}

// Results of `rows` x `count` elements; writes up to three rows and two registers more, reads as far past the window.
inline void stencil(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, std::int64_t rows, std::int64_t count, float* dst,
                    std::int64_t dst_pitch) {
  constexpr int columns = 2;
  auto go = [&]<int width>(std::integral_constant<int, width>) {
    Vec<float> out[4][columns];
    for (std::int64_t y = 0; y < rows; y += 4)
      for (std::int64_t x = 0; x < count; x += columns * lanes<float>) {
        stencil_four<columns, width>(src + y * pitch + x, pitch, s, weights, out);
        for (int i = 0; i < 4; ++i)
          for (int c = 0; c < columns; ++c) store(dst + (y + i) * dst_pitch + x + c * lanes<float>, out[i][c]);
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
