#pragma once
// Runs of source pixels as floats, wherever they lie: beyond the border the edge mode decides.
#include "cpu/simd/pixels.inl"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// An offset that sums cannot overflow with; no picture is that large, so it reads the same.
inline std::int64_t bounded(std::int64_t offset) {
  constexpr std::int64_t far = std::int64_t{1} << 40;
  return std::clamp(offset, -far, far);
}

// Pixels [x, x + pixels) of row y, code * factor, channels as they are stored.
inline void fetch_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, float* to,
                      float factor = 1) {
  const Layout& l = src.layout;
  const std::int64_t c = l.channels(), row = std::clamp<std::int64_t>(y, 0, l.height() - 1);
  if (edge == EdgeMode::zero && row != y) {
    std::fill_n(to, pixels * c, 0.0f);
    return;
  }
  auto read = [&](std::int64_t from, std::int64_t count, float* target) {
    to_float(l.dtype, src.row<const std::byte>(image, row) + from * c * l.element_bytes(), count * c, target, factor);
  };
  const std::int64_t begin = std::clamp<std::int64_t>(x, 0, l.width()), inside = std::clamp<std::int64_t>(x + pixels, 0, l.width()) - begin;
  const std::int64_t left = std::clamp<std::int64_t>(-x, 0, pixels);
  if (inside > 0) read(begin, inside, to + left * c);
  if (edge == EdgeMode::zero) {
    std::fill_n(to, left * c, 0.0f);
    std::fill_n(to + (left + inside) * c, (pixels - left - inside) * c, 0.0f);
  } else if (inside > 0) {
    for (std::int64_t p = 0; p < left; ++p) std::copy_n(to + left * c, c, to + p * c);
    for (std::int64_t p = left + inside; p < pixels; ++p) std::copy_n(to + (p - 1) * c, c, to + p * c);
  } else {
    read(left > 0 ? 0 : l.width() - 1, 1, to);
    for (std::int64_t p = 1; p < pixels; ++p) std::copy_n(to, c, to + p * c);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
