// Alpha and colour spaces.
#include <algorithm>
#include <array>
#include <optional>

#include "color.hpp"
#include "image_filter.hpp"

using namespace standin;

@implementation MPSImageConversion
@synthesize destinationAlpha = _destinationAlpha, sourceAlpha = _sourceAlpha;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                      srcAlpha:(MPSAlphaType)sourceAlpha
                     destAlpha:(MPSAlphaType)destinationAlpha
               backgroundColor:(CGFloat*)background
                conversionInfo:(CGColorConversionInfoRef)info {
  if ((self = [super initWithDevice:device])) {
    _sourceAlpha = sourceAlpha;
    _destinationAlpha = destinationAlpha;
    _info = info;
    const int colors = info ? transform_of(info).from.channels : 3;
    if (background) std::copy_n(background, std::min(colors, 3), _background);
  }
  return self;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  return [self initWithDevice:device srcAlpha:MPSAlphaTypeAlphaIsOne destAlpha:MPSAlphaTypeAlphaIsOne backgroundColor:nullptr conversionInfo:nullptr];
}
- (void)standinCopyStateFrom:(MPSImageConversion*)other {
  [super standinCopyStateFrom:other];
  _sourceAlpha = other->_sourceAlpha;
  _destinationAlpha = other->_destinationAlpha;
  std::copy_n(other->_background, 3, _background);
  _info = other->_info;
}
- (void)standinCheck:(const Filtering&)f {
  if (!_info) return;
  const ColorTransform transform = transform_of(_info);
  const auto fits = [](const Space& space, const Pixels& p) { return space.channels == (p.format.channels >= 3 ? 3 : 1); };
  require(fits(transform.from, f.src.pixels) && fits(transform.to, f.dst), @"MPSImageConversion: textures of %d and %d channels, colours of %d and %d", f.src.pixels.format.channels,
          f.dst.format.channels, transform.from.channels, transform.to.channels);
}
- (Filter)standinFilter {
  const std::optional<ColorTransform> transform = _info ? std::optional(transform_of(_info)) : std::nullopt;
  return [from = _sourceAlpha, to = _destinationAlpha, behind = std::array<double, 3>{_background[0], _background[1], _background[2]}, transform](const Filtering& f) {
    const bool has_alpha = f.src.pixels.format.has_alpha();
    f.each_pixel([&](long x, long y, int c) {
      Color color = {f.src.at(x, y, 0), f.src.at(x, y, 1), f.src.at(x, y, 2)};
      const double a = !has_alpha || from == MPSAlphaTypeAlphaIsOne ? 1 : f.src.at(x, y, 3);
      const bool flattens = has_alpha && from != MPSAlphaTypeAlphaIsOne && to == MPSAlphaTypeAlphaIsOne;
      if (c == 3) return flattens ? 1 : a;
      const bool divides = has_alpha && from == MPSAlphaTypePremultiplied && !flattens && (to == MPSAlphaTypeNonPremultiplied || transform);
      for (std::size_t i = 0; i < 3; ++i) {
        if (flattens) color[i] = (from == MPSAlphaTypeNonPremultiplied ? color[i] * a : color[i]) + behind[i] * (1 - a);
        else if (divides) color[i] = a == 0 ? 0 : color[i] / a;
      }
      if (transform) color = (*transform)(color);
      const double v = color[static_cast<std::size_t>(c)];
      return has_alpha && to == MPSAlphaTypePremultiplied && (divides || from == MPSAlphaTypeNonPremultiplied) ? v * a : v;
    });
  };
}
@end
