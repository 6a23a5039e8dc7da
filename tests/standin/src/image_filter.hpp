// What the image filters share: a source with its edges, the part of the destination that is written.
#pragma once
#include <algorithm>

#include "standin.hpp"

namespace standin {

struct Source {
  Pixels pixels;
  MPSImageEdgeMode edge_mode;
  long width() const { return static_cast<long>(pixels.width); }
  long height() const { return static_cast<long>(pixels.height); }
  double at(long x, long y, int channel) const {
    const bool is_inside = x >= 0 && y >= 0 && x < width() && y < height();
    if (!is_inside && edge_mode == MPSImageEdgeModeZero) return channel == 3 && !pixels.format.has_alpha() ? 1 : 0;
    return pixels.get(static_cast<std::size_t>(std::clamp(x, 0l, width() - 1)), static_cast<std::size_t>(std::clamp(y, 0l, height() - 1)),
                      channel);
  }
};

// Part of a texture.
struct Window {
  long x, y, width, height;
};
Window clip(const MTLRegion& region, const Pixels& pixels);

// Destination pixel (x, y) of `window` lies over source pixel (x + dx, y + dy).
struct Filtering {
  Source src;
  Pixels dst;
  Window window;
  long dx, dy;
  template <class F>
  void each_pixel(F value) const {  // value(source x, source y, channel)
    for (long y = window.y; y < window.y + window.height; ++y)
      for (long x = window.x; x < window.x + window.width; ++x)
        for (int c = 0; c < dst.format.channels; ++c)
          dst.put(static_cast<std::size_t>(x), static_cast<std::size_t>(y), c, value(x + dx, y + dy, c));
  }
};
using Filter = std::function<void(const Filtering&)>;

}  // namespace standin

@interface MPSUnaryImageKernel (Standin)
- (standin::Filter)standinFilter;  // with the parameters of this moment
- (MTLSize)standinKernelSize;      // of the window around a pixel
- (void)standinCheck:(const standin::Filtering&)filtering;  // rules beyond those of every filter
@end
