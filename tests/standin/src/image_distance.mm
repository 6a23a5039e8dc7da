// The distance transform: every pixel of a row against every pixel of its column, then against every column.
#include <cfloat>
#include <cmath>
#include <limits>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

// Of row y, which may lie outside, to each column's nearest pixel that is not 0.
std::vector<double> down(const Source& s, long y) {
  const bool is_continued = s.edge_mode == MPSImageEdgeModeClamp && (y < 0 || y >= s.height());
  std::vector<double> steps(static_cast<std::size_t>(s.width()), none);
  for (long x = 0; x < s.width(); ++x) {
    double& best = steps[static_cast<std::size_t>(x)];
    if (is_continued && s.at(x, y, 0) != 0) best = 0;
    for (long j = 0; j < s.height(); ++j)
      if (s.at(x, j, 0) != 0) best = std::min(best, static_cast<double>(std::abs(y - j)));
  }
  return steps;
}

}  // namespace

@implementation MPSImageEuclideanDistanceTransform
@synthesize searchLimitRadius = _searchLimitRadius;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _searchLimitRadius = FLT_MAX;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageEuclideanDistanceTransform*)other {
  [super standinCopyStateFrom:other];
  _searchLimitRadius = other->_searchLimitRadius;
}
- (void)standinCheck:(const Filtering&)f {
  require(f.src.pixels.format.channels == 1 && f.dst.format.channels == 1, @"MPSImageEuclideanDistanceTransform: %d channels to %d; one is defined",
          f.src.pixels.format.channels, f.dst.format.channels);
  require(_searchLimitRadius > 0, @"MPSImageEuclideanDistanceTransform: searchLimitRadius %g", static_cast<double>(_searchLimitRadius));
}
- (Filter)standinFilter {
  return [limit = static_cast<double>(_searchLimitRadius)](const Filtering& f) {
    const Window& w = f.window;
    // Nothing found is some large number, beyond the limit it is another than the distance: Apple promises no more.
    const double nothing = static_cast<double>(f.src.width() + f.src.height() + std::abs(f.dx) + std::abs(f.dy) + w.width + w.height) * 3;
    for (long y = w.y; y < w.y + w.height; ++y) {
      const std::vector<double> steps = down(f.src, y + f.dy);
      for (long x = w.x; x < w.x + w.width; ++x) {
        const long at = x + f.dx;
        double best = none;
        for (long i = 0; i < f.src.width(); ++i) best = std::min(best, std::hypot(static_cast<double>(at - i), steps[static_cast<std::size_t>(i)]));
        const bool is_outside = at < 0 || at >= f.src.width();
        if (is_outside && f.src.edge_mode == MPSImageEdgeModeClamp) best = std::min(best, at < 0 ? steps.front() : steps.back());
        f.dst.put(static_cast<std::size_t>(x), static_cast<std::size_t>(y), 0, best == none ? nothing : best > limit ? best + limit : best);
      }
    }
  };
}
@end
