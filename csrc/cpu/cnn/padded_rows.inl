#pragma once
// Some rows of an image as floats, with what windows see beyond the border: afterwards every window lies whole in memory.
#include "cpu/cnn/window.inl"
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

struct PaddedRows {
  std::int64_t first_column, columns;        // of the source, beyond the border too
  std::int64_t first_channel, channels;
  std::int64_t pixel;                        // floats from one pixel to the next
  bool clamps;

  std::int64_t row_elements() const { return columns * pixel; }

  // Rows [first, first + count) of an image to dst; unorm codes as they are.
  void write(const View& src, std::int64_t image, std::int64_t first, std::int64_t count, float* dst) const {
    visit_pixels(src.layout.dtype, [&](auto p) {
      for (std::int64_t i = 0; i < count; ++i) write_row<decltype(p)>(src, image, first + i, dst + i * row_elements());
    });
  }

 private:
  template <class P>
  void write_row(const View& src, std::int64_t image, std::int64_t y, float* dst) const {
    const Layout& l = src.layout;
    if (!clamps && (y < 0 || y >= l.height())) {
      std::fill(dst, dst + row_elements(), 0.0f);
      return;
    }
    const P* row = src.row<const P>(image, std::clamp<std::int64_t>(y, 0, l.height() - 1)) + first_channel;
    const std::int64_t begin = std::clamp<std::int64_t>(-first_column, 0, columns), end = std::clamp<std::int64_t>(l.width() - first_column, begin, columns);
    const auto one = [&](std::int64_t column, float* to) { to_float(std::span(row + column * l.channels(), static_cast<std::size_t>(channels)), to); };
    for (std::int64_t x = 0; x < begin; ++x) {
      if (clamps) one(0, dst + x * pixel);
      else std::fill(dst + x * pixel, dst + (x + 1) * pixel, 0.0f);
    }
    if (channels == l.channels() && pixel == channels) {
      to_float(std::span(row + (first_column + begin) * channels, static_cast<std::size_t>((end - begin) * channels)), dst + begin * pixel);
    } else {
      for (std::int64_t x = begin; x < end; ++x) one(first_column + x, dst + x * pixel);
    }
    for (std::int64_t x = end; x < columns; ++x) {
      if (clamps) one(l.width() - 1, dst + x * pixel);
      else std::fill(dst + x * pixel, dst + (x + 1) * pixel, 0.0f);
    }
  }
};

}  // namespace mpskit::cpu::MPSKIT_ISA
