// Filters whose result depends on single pixels: thresholds, transposes, and sums of all pixels up to one.
#include <array>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

constexpr std::array<float, 3> bt601 = {0.299f, 0.587f, 0.114f};

// value(gray) of each pixel; colour becomes gray first.
template <class F>
Filter of_gray(const float* transform, F value) {
  return [gray = std::array<double, 3>{transform[0], transform[1], transform[2]}, value](const Filtering& f) {
    f.each_pixel([&](long x, long y, int) {
      if (f.src.pixels.format.channels == 1) return value(f.src.at(x, y, 0));
      double sum = 0;
      for (int k = 0; k < 3; ++k) sum += gray[static_cast<std::size_t>(k)] * f.src.at(x, y, k);
      return value(sum);
    });
  };
}
void require_one_channel(NSString* name, const Filtering& f) { require(f.dst.format.channels == 1, @"%@: %d channels of the result", name, f.dst.format.channels); }

Filter integral(bool is_squared) {
  return [=](const Filtering& f) {
    const Window& w = f.window;
    for (int c = 0; c < f.dst.format.channels; ++c) {
      std::vector<double> above(static_cast<std::size_t>(w.width));  // sums of whole columns
      for (long y = 0; y < w.height; ++y) {
        double row = 0;
        for (long x = 0; x < w.width; ++x) {
          const double v = f.src.at(w.x + x + f.dx, w.y + y + f.dy, c);
          row += is_squared ? v * v : v;
          f.dst.put(static_cast<std::size_t>(w.x + x), static_cast<std::size_t>(w.y + y), c, above[static_cast<std::size_t>(x)] += row);
        }
      }
    }
  };
}

}  // namespace

// What thresholds of both kinds have.
#define STANDIN_GRAY(Name)                    \
  -(const float*)transform {                  \
    return _transform;                        \
  }                                           \
  -(void)standinCheck : (const Filtering&)f { \
    require_one_channel(@ #Name, f);          \
  }

#define STANDIN_THRESHOLD(Name, value)                                                                             \
  @implementation Name                                                                                             \
  @synthesize thresholdValue = _thresholdValue;                                                                    \
  -(instancetype)initWithDevice : (id<MTLDevice>)device thresholdValue : (float)threshold linearGrayColorTransform \
      : (const float*)transform {                                                                                  \
    if ((self = [super initWithDevice:device])) {                                                                  \
      _thresholdValue = threshold;                                                                                 \
      std::copy_n(transform ? transform : bt601.data(), 3, _transform);                                            \
    }                                                                                                              \
    return self;                                                                                                   \
  }                                                                                                                \
  STANDIN_GRAY(Name)                                                                                               \
  -(void)standinCopyStateFrom : (Name*)other {                                                                     \
    [super standinCopyStateFrom:other];                                                                            \
    _thresholdValue = other->_thresholdValue;                                                                      \
    std::copy_n(other->_transform, 3, _transform);                                                                 \
  }                                                                                                                \
  -(Filter)standinFilter {                                                                                         \
    return of_gray(_transform, [t = static_cast<double>(_thresholdValue)](double x) -> double { return value; });  \
  }                                                                                                                \
  @end

STANDIN_THRESHOLD(MPSImageThresholdTruncate, x > t ? t : x)
STANDIN_THRESHOLD(MPSImageThresholdToZero, x > t ? x : 0)
STANDIN_THRESHOLD(MPSImageThresholdToZeroInverse, x > t ? 0 : x)

#define STANDIN_BINARY(Name, value)                                                                                     \
  @implementation Name                                                                                                  \
  @synthesize thresholdValue = _thresholdValue, maximumValue = _maximumValue;                                           \
  -(instancetype)initWithDevice : (id<MTLDevice>)device thresholdValue : (float)threshold maximumValue : (float)maximum \
      linearGrayColorTransform : (const float*)transform {                                                              \
    if ((self = [super initWithDevice:device])) {                                                                       \
      _thresholdValue = threshold;                                                                                      \
      _maximumValue = maximum;                                                                                          \
      std::copy_n(transform ? transform : bt601.data(), 3, _transform);                                                 \
    }                                                                                                                   \
    return self;                                                                                                        \
  }                                                                                                                     \
  STANDIN_GRAY(Name)                                                                                                    \
  -(void)standinCopyStateFrom : (Name*)other {                                                                          \
    [super standinCopyStateFrom:other];                                                                                 \
    _thresholdValue = other->_thresholdValue;                                                                           \
    _maximumValue = other->_maximumValue;                                                                               \
    std::copy_n(other->_transform, 3, _transform);                                                                      \
  }                                                                                                                     \
  -(Filter)standinFilter {                                                                                              \
    return of_gray(_transform, [t = static_cast<double>(_thresholdValue), m = static_cast<double>(_maximumValue)](double x) -> double { return value; }); \
  }                                                                                                                     \
  @end

STANDIN_BINARY(MPSImageThresholdBinary, x > t ? m : 0)
STANDIN_BINARY(MPSImageThresholdBinaryInverse, x > t ? 0 : m)

@implementation MPSImageTranspose
- (Filter)standinFilter {
  return [](const Filtering& f) {
    const Window& w = f.window;
    const long left = w.x + f.dx, top = w.y + f.dy;  // source pixel under the window's corner
    for (long y = 0; y < w.height; ++y)
      for (long x = 0; x < w.width; ++x)
        for (int c = 0; c < f.dst.format.channels; ++c)
          f.dst.put(static_cast<std::size_t>(w.x + x), static_cast<std::size_t>(w.y + y), c, f.src.at(left + y, top + x, c));
  };
}
@end

@implementation MPSImageIntegral
- (Filter)standinFilter {
  return integral(false);
}
@end

@implementation MPSImageIntegralOfSquares
- (Filter)standinFilter {
  return integral(true);
}
@end
