#pragma once
// Windows whose every place has a number of its own: each pixel of the window meets its number, and what comes of it is put
// together by `Op`. Four rows of results grow at once, so a source register is loaded once for all of them.
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct WeightedSum {
  using Element = float;
  static MPSKIT_INLINE Vec<float> first() { return Vec<float>{}; }
  static MPSKIT_INLINE Vec<float> join(Vec<float> a, Vec<float> b) { return a + b; }
  static MPSKIT_INLINE Vec<float> number(const float* p) { return broadcast(p); }
  static MPSKIT_INLINE Vec<float> step(Vec<float> sum, Vec<float> weight, Vec<float> pixel) { return multiply_add(weight, pixel, sum); }
};

struct Stencil {
  std::int64_t width, height, channels;  // of the window; elements from pixel to pixel
};

// Results of four rows and `columns` registers. `src` is the window's first element over the first result.
template <class Op, int columns, int width>
MPSKIT_INLINE void stencil_four(const typename Op::Element* src, std::int64_t pitch, const Stencil& s, const typename Op::Element* numbers,
                                Vec<typename Op::Element> (&out)[4][columns]) {
  using T = typename Op::Element;
  using V = Vec<T>;
  const std::int64_t kernel_width = width ? width : s.width;
  // Rows of the window that go into one sum before it joins the others: few roundings each.
  const std::int64_t together = std::max<std::int64_t>(128 / kernel_width, 4);
  V part[4][columns];
  for (int y = 0; y < 4; ++y)
    for (int c = 0; c < columns; ++c) out[y][c] = part[y][c] = Op::first();
  auto join = [&] {
    for (int y = 0; y < 4; ++y)
      for (int c = 0; c < columns; ++c) {
        out[y][c] = Op::join(out[y][c], part[y][c]);
        part[y][c] = Op::first();
      }
  };
  for (std::int64_t r = 0; r < s.height + 3; ++r) {
    const T* row = src + r * pitch;
    // Source row r lies in the windows of result rows `low` to `high`.
    auto feed = [&]<int low, int high>(std::integral_constant<int, low>, std::integral_constant<int, high>) __attribute__((always_inline)) {
      for (std::int64_t i = 0; i < kernel_width; ++i) {
        V pixel[columns];
        for (int c = 0; c < columns; ++c) pixel[c] = load<V>(row + i * s.channels + c * lanes<T>);
        for (int y = low; y <= high; ++y) {
          const V number = Op::number(numbers + (r - y) * kernel_width + i);
          for (int c = 0; c < columns; ++c) part[y][c] = Op::step(part[y][c], number, pixel[c]);
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
template <class Op>
void stencil(const typename Op::Element* src, std::int64_t pitch, const Stencil& s, const typename Op::Element* numbers, std::int64_t rows,
             std::int64_t count, typename Op::Element* dst, std::int64_t dst_pitch) {
  using T = typename Op::Element;
  constexpr int columns = 2;
  auto go = [&]<int width>(std::integral_constant<int, width>) {
    Vec<T> out[4][columns];
    for (std::int64_t y = 0; y < rows; y += 4)
      for (std::int64_t x = 0; x < count; x += columns * lanes<T>) {
        stencil_four<Op, columns, width>(src + y * pitch + x, pitch, s, numbers, out);
        for (int i = 0; i < 4; ++i)
          for (int c = 0; c < columns; ++c) store(dst + (y + i) * dst_pitch + x + c * lanes<T>, out[i][c]);
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
