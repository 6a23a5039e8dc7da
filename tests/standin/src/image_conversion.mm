// Alpha; there are no colour spaces here.
#include <algorithm>
#include <array>

#include "image_filter.hpp"

using namespace standin;

@implementation MPSImageConversion
@synthesize destinationAlpha = _destinationAlpha, sourceAlpha = _sourceAlpha;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                      srcAlpha:(MPSAlphaType)sourceAlpha
                     destAlpha:(MPSAlphaType)destinationAlpha
               backgroundColor:(CGFloat*)background
                conversionInfo:(CGColorConversionInfoRef)info {
  require(!info, @"MPSImageConversion: a conversionInfo; the stand-in has no colour spaces");
  if ((self = [super initWithDevice:device])) {
    _sourceAlpha = sourceAlpha;
    _destinationAlpha = destinationAlpha;
    if (background) std::copy_n(background, 3, _background);
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
}
- (Filter)standinFilter {
  return [from = _sourceAlpha, to = _destinationAlpha, behind = std::array<double, 3>{_background[0], _background[1], _background[2]}](const Filtering& f) {
    const bool has_alpha = f.src.pixels.format.has_alpha();
    f.each_pixel([&](long x, long y, int c) {
      const double v = f.src.at(x, y, c);
      if (!has_alpha) return v;
      const double a = from == MPSAlphaTypeAlphaIsOne ? 1 : f.src.at(x, y, 3);
      if (c == 3) return to == MPSAlphaTypeAlphaIsOne ? 1 : a;
      if (from == MPSAlphaTypeAlphaIsOne || from == to) return v;
      if (to == MPSAlphaTypeAlphaIsOne) return (from == MPSAlphaTypeNonPremultiplied ? v * a : v) + behind[static_cast<std::size_t>(c)] * (1 - a);
      return to == MPSAlphaTypePremultiplied ? v * a : a == 0 ? 0 : v / a;
    });
  };
}
@end
