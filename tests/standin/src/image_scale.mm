#include <cmath>
#include <numbers>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Taps {
  long first;
  std::vector<double> weights;
};
using Axis = Taps (*)(double position, double scale);  // position: in the source, continuous

Taps lanczos(double position, double scale) {
  const double stretch = std::max(1.0, 1 / scale);
  const auto window = [](double t) {
    if (std::abs(t) >= 3) return 0.0;
    const double a = std::numbers::pi * t;
    return t == 0 ? 1.0 : std::sin(a) / a * (std::sin(a / 3) / (a / 3));
  };
  Taps taps{static_cast<long>(std::floor(position - 0.5 - 3 * stretch)), {}};
  const long last = static_cast<long>(std::ceil(position - 0.5 + 3 * stretch));
  double sum = 0;
  for (long k = taps.first; k <= last; ++k) {
    const double weight = window((static_cast<double>(k) + 0.5 - position) / stretch);
    taps.weights.push_back(std::abs(weight) < 1e-12 ? 0 : weight);  // the sine's zeros
    sum += taps.weights.back();
  }
  for (double& w : taps.weights) w /= sum;
  return taps;
}
Taps bilinear(double position, double) {
  const double p = position - 0.5, first = std::floor(p);
  return {static_cast<long>(first), {1 - (p - first), p - first}};
}

}  // namespace

@interface MPSImageScale (Standin)
- (Axis)standinAxis;
@end

@implementation MPSImageScale
- (const MPSScaleTransform*)scaleTransform {
  return _hasScaleTransform ? &_scaleTransform : nullptr;
}
- (void)setScaleTransform:(const MPSScaleTransform*)transform {
  _hasScaleTransform = transform ? YES : NO;
  if (transform) _scaleTransform = *transform;
}
- (void)standinCopyStateFrom:(MPSImageScale*)other {
  [super standinCopyStateFrom:other];
  _hasScaleTransform = other->_hasScaleTransform;
  _scaleTransform = other->_scaleTransform;
}
- (Axis)standinAxis {
  misuse(@"%@ is not to be used directly", NSStringFromClass([self class]));
}
- (void)standinCheck:(const Filtering&)f {
  (void)f;
  require(_offset.x == 0 && _offset.y == 0, @"%@: an offset, which scaling has no use for", NSStringFromClass([self class]));
  require(!_hasScaleTransform || (_scaleTransform.scaleX > 0 && _scaleTransform.scaleY > 0), @"%@: a scale of %g x %g",
          NSStringFromClass([self class]), _scaleTransform.scaleX, _scaleTransform.scaleY);
}
- (Filter)standinFilter {
  return [axis = [self standinAxis], is_given = _hasScaleTransform, given = _scaleTransform](const Filtering& f) {
    const Window& w = f.window;
    const MPSScaleTransform t = is_given ? given
                                         : MPSScaleTransform{static_cast<double>(f.dst.width) / static_cast<double>(f.src.width()),
                                                             static_cast<double>(f.dst.height) / static_cast<double>(f.src.height()),
                                                             -static_cast<double>(w.x), -static_cast<double>(w.y)};
    const auto all = [&](long count, double scale, double translate) {
      std::vector<Taps> taps;
      for (long i = 0; i < count; ++i) taps.push_back(axis((static_cast<double>(i) + 0.5 - translate) / scale, scale));
      return taps;
    };
    const std::vector<Taps> across = all(w.width, t.scaleX, t.translateX), down = all(w.height, t.scaleY, t.translateY);
    for (int c = 0; c < f.dst.format.channels; ++c) {
      // Rows of the source that any tap asks for, resampled sideways.
      const long top = down.front().first, bottom = down.back().first + static_cast<long>(down.back().weights.size());
      std::vector<double> rows(static_cast<std::size_t>((bottom - top) * w.width));
      for (long y = top; y < bottom; ++y)
        for (long x = 0; x < w.width; ++x) {
          const Taps& taps = across[static_cast<std::size_t>(x)];
          for (std::size_t k = 0; k < taps.weights.size(); ++k)
            if (taps.weights[k] != 0)  // NaN under a zero is none of the filter's
              rows[static_cast<std::size_t>((y - top) * w.width + x)] += taps.weights[k] * f.src.at(taps.first + static_cast<long>(k), y, c);
        }
      for (long y = 0; y < w.height; ++y)
        for (long x = 0; x < w.width; ++x) {
          const Taps& taps = down[static_cast<std::size_t>(y)];
          double value = 0;
          for (std::size_t k = 0; k < taps.weights.size(); ++k)
            if (taps.weights[k] != 0)
              value += taps.weights[k] * rows[static_cast<std::size_t>((taps.first - top + static_cast<long>(k)) * w.width + x)];
          f.dst.put(static_cast<std::size_t>(w.x + x), static_cast<std::size_t>(w.y + y), c, value);
        }
    }
  };
}
@end

@implementation MPSImageLanczosScale
- (Axis)standinAxis {
  return lanczos;
}
@end
@implementation MPSImageBilinearScale
- (Axis)standinAxis {
  return bilinear;
}
@end
