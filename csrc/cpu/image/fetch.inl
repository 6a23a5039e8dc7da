#pragma once
// Runs of source pixels as floats, wherever they lie: beyond the border the edge mode decides.
#include "cpu/simd/pixels.inl"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

constexpr std::int64_t rounded_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// An offset that sums cannot overflow with; no picture is that large, so it reads the same.
inline std::int64_t bounded(std::int64_t offset) {
  constexpr std::int64_t far = std::int64_t{1} << 40;
  return std::clamp(offset, -far, far);
}

// True when pixels [x, x + pixels) of row y lie in the picture: they can be read where they are stored.
inline bool lie_inside(const Layout& l, std::int64_t y, std::int64_t x, std::int64_t pixels) {
  return y >= 0 && y < l.height() && x >= 0 && x + pixels <= l.width();
}

// Bytes from pixel x of row y on to the end of the last picture: they may be read.
inline std::int64_t bytes_from(const View& v, std::int64_t image, std::int64_t y, std::int64_t x) {
  const Layout& l = v.layout;
  return v.row<const std::byte>(l.images() - 1, l.height() - 1) + l.width() * l.stride[2] - (v.row<const std::byte>(image, y) + x * l.stride[2]);
}

// Pixels [x, x + pixels) of row y, code * factor, channels as they are stored. In common/rows.cpp.
void fetch_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, float* to, float factor = 1);

}  // namespace mpskit::cpu::MPSKIT_ISA
