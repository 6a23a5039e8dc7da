// What CoreGraphics' colour conversions do to a pixel, in float64.
#pragma once
#import <CoreGraphics/CoreGraphics.h>

#include <array>

namespace standin {

enum class Curve { none, srgb, gamma_2_2 };
struct Space {  // calibrated ones have D65 for white
  int channels;
  Curve curve;
  bool is_p3 = false, is_calibrated = true;
};
using Color = std::array<double, 3>;

struct ColorTransform {  // decoded, mixed and encoded
  Space from, to;
  Color operator()(const Color& color) const;
};
// Refuses what was released.
ColorTransform transform_of(CGColorConversionInfoRef info);

}  // namespace standin
