// Filters whose result depends on a window around each pixel.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

using Weights = std::vector<double>;

void require_odd(Class c, NSUInteger width, NSUInteger height) {
  require(width % 2 == 1 && height % 2 == 1, @"%@: a window of %lu x %lu; allowed: odd numbers", NSStringFromClass(c), static_cast<unsigned long>(width),
          static_cast<unsigned long>(height));
}

// The sum of one axis' weights times the other's.
Filter separable(const Weights& across, const Weights& down) {
  return [across, down](const Filtering& f) {
    const long width = static_cast<long>(across.size()), height = static_cast<long>(down.size());
    f.each_pixel([&](long x, long y, int c) {
      double sum = 0;
      for (long j = 0; j < height; ++j)
        for (long i = 0; i < width; ++i)
          sum += down[static_cast<std::size_t>(j)] * across[static_cast<std::size_t>(i)] * f.src.at(x + i - width / 2, y + j - height / 2, c);
      return sum;
    });
  };
}
Weights tent(NSUInteger side) {
  Weights w;
  double sum = 0;
  for (NSUInteger i = 0; i < side; ++i) sum += w.emplace_back(static_cast<double>(std::min(i + 1, side - i)));
  for (double& v : w) v /= sum;
  return w;
}

}  // namespace

@implementation MPSImageLaplacian
@synthesize bias = _bias;
- (void)standinCopyStateFrom:(MPSImageLaplacian*)other {
  [super standinCopyStateFrom:other];
  _bias = other->_bias;
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(3, 3, 1);
}
- (Filter)standinFilter {
  return [bias = static_cast<double>(_bias)](const Filtering& f) {
    f.each_pixel([&](long x, long y, int c) {
      const auto s = [&](long i, long j) { return f.src.at(x + i, y + j, c); };
      return s(-1, 0) + s(1, 0) + s(0, -1) + s(0, 1) - 4 * s(0, 0) + bias;
    });
  };
}
@end

@implementation MPSImageBox
@synthesize kernelHeight = _kernelHeight, kernelWidth = _kernelWidth;
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelWidth:(NSUInteger)width kernelHeight:(NSUInteger)height {
  require_odd([self class], width, height);
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = width;
    _kernelHeight = height;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageBox*)other {
  [super standinCopyStateFrom:other];
  _kernelWidth = other->_kernelWidth;
  _kernelHeight = other->_kernelHeight;
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelWidth, _kernelHeight, 1);
}
- (Filter)standinFilter {
  return separable(Weights(_kernelWidth, 1 / static_cast<double>(_kernelWidth)), Weights(_kernelHeight, 1 / static_cast<double>(_kernelHeight)));
}
@end

@implementation MPSImageTent
- (Filter)standinFilter {
  return separable(tent(_kernelWidth), tent(_kernelHeight));
}
@end

@implementation MPSImageAreaMax
@synthesize kernelHeight = _kernelHeight, kernelWidth = _kernelWidth;
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelWidth:(NSUInteger)width kernelHeight:(NSUInteger)height {
  require_odd([self class], width, height);
  require(std::max(width, height) <= 481, @"%@: a window of %lu x %lu never ends", NSStringFromClass([self class]), static_cast<unsigned long>(width),
          static_cast<unsigned long>(height));
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = width;
    _kernelHeight = height;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageAreaMax*)other {
  [super standinCopyStateFrom:other];
  _kernelWidth = other->_kernelWidth;
  _kernelHeight = other->_kernelHeight;
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelWidth, _kernelHeight, 1);
}
static Filter extreme(NSUInteger kernel_width, NSUInteger kernel_height, double sign) {
  return [=](const Filtering& filtering) {
    Filtering f = filtering;
    f.src.edge_mode = MPSImageEdgeModeClamp;  // whatever the property says
    const long rx = static_cast<long>(kernel_width / 2), ry = static_cast<long>(kernel_height / 2);
    f.each_pixel([&](long x, long y, int c) {
      double best = -std::numeric_limits<double>::infinity();
      // What lies beyond the border is the border again.
      const auto from = [](long centre, long r, long side) { return std::min(std::max(centre - r, 0l), side - 1); };
      const auto to = [](long centre, long r, long side) { return std::max(std::min(centre + r, side - 1), 0l); };
      for (long j = from(y, ry, f.src.height()); j <= to(y, ry, f.src.height()); ++j)
        for (long i = from(x, rx, f.src.width()); i <= to(x, rx, f.src.width()); ++i) best = std::max(best, sign * f.src.at(i, j, c));
      return sign * best;
    });
  };
}
- (Filter)standinFilter {
  return extreme(_kernelWidth, _kernelHeight, 1);
}
@end

@implementation MPSImageAreaMin
- (Filter)standinFilter {
  return extreme(_kernelWidth, _kernelHeight, -1);
}
@end

@implementation MPSImageDilate
@synthesize kernelHeight = _kernelHeight, kernelWidth = _kernelWidth;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)width
                  kernelHeight:(NSUInteger)height
                        values:(const float*)values {
  require_odd([self class], width, height);
  require(values[width * height / 2] == 0, @"%@: a centre of %g", NSStringFromClass([self class]), static_cast<double>(values[width * height / 2]));
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = width;
    _kernelHeight = height;
    _values = new float[width * height];
    std::copy_n(values, width * height, _values);
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageDilate*)other {
  [super standinCopyStateFrom:other];
  _kernelWidth = other->_kernelWidth;
  _kernelHeight = other->_kernelHeight;
  _values = new float[_kernelWidth * _kernelHeight];
  std::copy_n(other->_values, _kernelWidth * _kernelHeight, _values);
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelWidth, _kernelHeight, 1);
}
static Filter probed(MPSImageDilate* k, double sign) {
  return [=, probe = Weights(k->_values, k->_values + k->_kernelWidth * k->_kernelHeight), width = static_cast<long>(k->_kernelWidth),
          height = static_cast<long>(k->_kernelHeight)](const Filtering& filtering) {
    Filtering f = filtering;
    f.src.edge_mode = MPSImageEdgeModeClamp;
    f.each_pixel([&](long x, long y, int c) {
      double best = -std::numeric_limits<double>::infinity();
      for (long j = 0; j < height; ++j)
        for (long i = 0; i < width; ++i)
          best = std::max(best, sign * f.src.at(x + i - width / 2, y + j - height / 2, c) - probe[static_cast<std::size_t>(j * width + i)]);
      return sign * best;
    });
  };
}
- (Filter)standinFilter {
  return probed(self, 1);
}
- (void)dealloc {
  delete[] _values;
  [super dealloc];
}
@end

@implementation MPSImageErode
- (Filter)standinFilter {
  return probed(self, -1);
}
@end

static NSUInteger largest_median() {  // read with every call
  const char* given = std::getenv("MPSKIT_STANDIN_MEDIAN");
  return given && *given ? std::strtoul(given, nullptr, 10) : 127;
}

@implementation MPSImageMedian
@synthesize kernelDiameter = _kernelDiameter;
+ (NSUInteger)maxKernelDiameter {
  return largest_median();
}
+ (NSUInteger)minKernelDiameter {
  return 3;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelDiameter:(NSUInteger)diameter {
  require_odd([self class], diameter, diameter);
  require(diameter >= 3 && diameter <= largest_median(), @"MPSImageMedian: a diameter of %lu", static_cast<unsigned long>(diameter));
  if ((self = [super initWithDevice:device])) _kernelDiameter = diameter;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageMedian*)other {
  [super standinCopyStateFrom:other];
  _kernelDiameter = other->_kernelDiameter;
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelDiameter, _kernelDiameter, 1);
}
- (void)standinCheck:(const Filtering&)f {
  for (const Pixels& p : {f.src.pixels, f.dst}) require(p.format.channel_bytes == 1, @"MPSImageMedian: %d bytes a channel", p.format.channel_bytes);
}
- (Filter)standinFilter {
  return [d = static_cast<long>(_kernelDiameter)](const Filtering& f) {
    Weights window;
    f.each_pixel([&](long x, long y, int c) {
      if (c == 3) return f.src.at(x, y, c);  // alpha passes
      window.clear();
      for (long j = -d / 2; j <= d / 2; ++j)
        for (long i = -d / 2; i <= d / 2; ++i) window.push_back(f.src.at(x + i, y + j, c));
      const auto middle = window.begin() + d * d / 2;
      std::nth_element(window.begin(), middle, window.end());
      return *middle;
    });
  };
}
@end
