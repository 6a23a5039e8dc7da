// Canny's edges: the whole picture step by step, in double.
#include <array>
#include <cmath>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Plane {
  long width, height;
  std::vector<double> values;
  Plane(long w, long h) : width(w), height(h), values(static_cast<std::size_t>(w * h)) {}
  double& at(long x, long y) { return values[static_cast<std::size_t>(y * width + x)]; }
  double get(long x, long y, bool is_clamped) const {
    if (!is_clamped && (x < 0 || y < 0 || x >= width || y >= height)) return 0;
    return values[static_cast<std::size_t>(std::clamp(y, 0l, height - 1) * width + std::clamp(x, 0l, width - 1))];
  }
};

Plane blurred(const Plane& p, double sigma, bool is_clamped) {
  const long r = static_cast<long>(std::ceil(3.7 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (long i = -r; i <= r; ++i) sum += weights.emplace_back(r == 0 ? 1 : std::exp(-static_cast<double>(i * i) / (2 * sigma * sigma)));
  Plane across = p, both = p;
  for (const bool is_down : {false, true})
    for (long y = 0; y < p.height; ++y)
      for (long x = 0; x < p.width; ++x) {
        double v = 0;
        for (long i = -r; i <= r; ++i) v += weights[static_cast<std::size_t>(i + r)] / sum * (is_down ? across.get(x, y + i, is_clamped) : p.get(x + i, y, is_clamped));
        (is_down ? both : across).at(x, y) = v;
      }
  return both;
}

// 0 none, 1 above the low threshold, 2 above the high one.
std::vector<int> classes(const Plane& b, double low, double high, bool is_clamped) {
  const long w = b.width, h = b.height;
  Plane g(w, h);
  std::vector<int> sector(static_cast<std::size_t>(w * h)), out(sector.size());
  for (long y = 0; y < h; ++y)
    for (long x = 0; x < w; ++x) {
      const auto s = [&](long i, long j) { return b.get(x + i, y + j, is_clamped); };
      const double gx = s(1, -1) - s(-1, -1) + 2 * (s(1, 0) - s(-1, 0)) + s(1, 1) - s(-1, 1);
      const double gy = s(-1, 1) - s(-1, -1) + 2 * (s(0, 1) - s(0, -1)) + s(1, 1) - s(1, -1);
      g.at(x, y) = std::hypot(gx, gy);
      sector[static_cast<std::size_t>(y * w + x)] = (static_cast<int>(std::nearbyint(std::atan2(gy, gx) / (M_PI / 4))) + 8) % 4;
    }
  constexpr std::array<std::array<long, 2>, 4> steps{{{1, 0}, {1, 1}, {0, 1}, {-1, 1}}};
  for (long y = 0; y < h; ++y)
    for (long x = 0; x < w; ++x) {
      const auto i = static_cast<std::size_t>(y * w + x);
      const auto [dx, dy] = steps[static_cast<std::size_t>(sector[i])];
      const double v = g.at(x, y);
      constexpr double close = 1e-12;  // equal, but for the rounding of double
      if (v > g.get(x - dx, y - dy, false) - close && v > g.get(x + dx, y + dy, false) + close) out[i] = v > high ? 2 : v > low ? 1 : 0;
    }
  return out;
}

}  // namespace

@implementation MPSImageCanny
@synthesize sigma = _sigma, highThreshold = _highThreshold, lowThreshold = _lowThreshold, useFastMode = _useFastMode;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  const float gray[3] = {0.299f, 0.587f, 0.114f};
  return [self initWithDevice:device linearToGrayScaleTransform:gray sigma:static_cast<float>(M_SQRT2)];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device linearToGrayScaleTransform:(const float*)transform sigma:(const float)sigma {
  require(sigma >= 0, @"MPSImageCanny: sigma %g", static_cast<double>(sigma));
  if ((self = [super initWithDevice:device])) {
    std::copy_n(transform, 3, _colorTransform);
    _sigma = sigma;
    _highThreshold = 0.4f;
    _lowThreshold = 0.2f;
    _useFastMode = YES;
  }
  return self;
}
- (const float*)colorTransform {
  return _colorTransform;
}
- (void)standinCopyStateFrom:(MPSImageCanny*)other {
  [super standinCopyStateFrom:other];
  std::copy_n(other->_colorTransform, 3, _colorTransform);
  _sigma = other->_sigma;
  _highThreshold = other->_highThreshold;
  _lowThreshold = other->_lowThreshold;
  _useFastMode = other->_useFastMode;
}
- (void)standinCheck:(const Filtering&)f {
  const int from = f.src.pixels.format.channels, to = f.dst.format.channels;
  require(from == to || to == 1, @"MPSImageCanny: %d channels to %d", from, to);
  require(_lowThreshold <= _highThreshold, @"MPSImageCanny: a low threshold of %g above the high one", static_cast<double>(_lowThreshold));
}
- (Filter)standinFilter {
  const std::array<double, 3> gray = {_colorTransform[0], _colorTransform[1], _colorTransform[2]};
  const double sigma = static_cast<double>(_sigma), low = static_cast<double>(_lowThreshold), high = static_cast<double>(_highThreshold);
  return [=](const Filtering& f) {
    const bool is_converted = f.src.pixels.format.channels > 1 && f.dst.format.channels == 1, is_clamped = f.src.edge_mode == MPSImageEdgeModeClamp;
    const long w = f.src.width(), h = f.src.height();
    for (int c = 0; c < f.dst.format.channels; ++c) {
      Plane p(w, h);
      for (long y = 0; y < h; ++y)
        for (long x = 0; x < w; ++x) {
          double v = is_converted ? 0 : f.src.at(x, y, c);
          for (int k = 0; is_converted && k < 3; ++k) v += gray[static_cast<std::size_t>(k)] * f.src.at(x, y, k);
          p.at(x, y) = v;
        }
      const std::vector<int> all = classes(blurred(p, sigma, is_clamped), low, high, is_clamped);
      const Window& to = f.window;
      std::vector<int> kept(static_cast<std::size_t>(to.width * to.height));
      std::vector<std::array<long, 2>> work;
      const auto class_of = [&](long x, long y) {  // of a pixel of the window
        const long sx = x + to.x + f.dx, sy = y + to.y + f.dy;
        return sx < 0 || sy < 0 || sx >= w || sy >= h ? 0 : all[static_cast<std::size_t>(sy * w + sx)];
      };
      const auto keep = [&](long x, long y) {
        int& k = kept[static_cast<std::size_t>(y * to.width + x)];
        if (k == 0) work.push_back({x, y});
        k = 1;
      };
      for (long y = 0; y < to.height; ++y)
        for (long x = 0; x < to.width; ++x)
          if (class_of(x, y) == 2) keep(x, y);
      while (!work.empty()) {
        const auto [x, y] = work.back();
        work.pop_back();
        for (long j = std::max(y - 1, 0l); j < std::min(y + 2, to.height); ++j)
          for (long i = std::max(x - 1, 0l); i < std::min(x + 2, to.width); ++i)
            if (class_of(i, j) == 1) keep(i, j);
      }
      for (long y = 0; y < to.height; ++y)
        for (long x = 0; x < to.width; ++x)
          f.dst.put(static_cast<std::size_t>(x + to.x), static_cast<std::size_t>(y + to.y), c, kept[static_cast<std::size_t>(y * to.width + x)]);
    }
  };
}
@end
