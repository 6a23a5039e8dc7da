#pragma once
// Where the taps of windows fall, one axis at a time.
#include "kernels/common/cnn_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

struct WindowAxis {
  std::int64_t first;   // source coordinate of the first tap of the first result
  cnn::Taps taps;
  std::int64_t extent;  // of the source

  std::int64_t at(std::int64_t result, std::int64_t tap) const { return first + result * taps.stride + tap * taps.dilation; }
  bool is_inside(std::int64_t i) const { return i >= 0 && i < extent; }
  std::int64_t clamped(std::int64_t i) const { return std::clamp<std::int64_t>(i, 0, extent - 1); }

  // Results in [0, count) whose taps are all inside.
  struct Results {
    std::int64_t begin, end;
  };
  Results whole(std::int64_t count) const {
    const std::int64_t s = taps.stride, over = extent - taps.extent() - first;
    const std::int64_t begin = first >= 0 ? 0 : (-first + s - 1) / s, end = over < 0 ? 0 : over / s + 1;
    const std::int64_t b = std::min(begin, count);
    return {b, std::clamp(end, b, count)};
  }
};

struct WindowAxes {
  WindowAxis y, x;
};
inline WindowAxes window_axes(const cnn::WindowKernel& k, const Layout& src, const cnn::Taps& y, const cnn::Taps& x) {
  const Offset centre = k.centre(src, y, x);
  return {{centre.y - y.extent() / 2, y, src.height()}, {centre.x - x.extent() / 2, x, src.width()}};
}

}  // namespace mpskit::cpu::MPSKIT_ISA
