// One value a row, or a column, of the region that clipRectSource says.
#include "image_filter.hpp"

using namespace standin;

namespace {

using Fold = double (*)(const std::vector<double>& values);

double smallest(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }
double sum(const std::vector<double>& values) {
  double total = 0;
  for (double v : values) total += v;
  return total;
}
double mean(const std::vector<double>& values) { return sum(values) / static_cast<double>(values.size()); }

Filter filter(const MTLRegion& region, bool is_row, Fold fold) {
  return [=](const Filtering& f) {
    const Window from = clip(region, f.src.pixels);
    const long results = is_row ? from.height : from.width, length = is_row ? from.width : from.height;
    for (int c = 0; c < f.dst.format.channels; ++c)
      for (long i = 0; i < results; ++i) {
        std::vector<double> values;
        for (long j = 0; j < length; ++j) values.push_back(f.src.at(from.x + (is_row ? j : i), from.y + (is_row ? i : j), c));
        f.dst.put(static_cast<std::size_t>(f.window.x + (is_row ? 0 : i)), static_cast<std::size_t>(f.window.y + (is_row ? i : 0)), c, fold(values));
      }
  };
}
void check(const Filtering& f, const MTLRegion& region, bool is_row, NSString* name) {
  const Window from = clip(region, f.src.pixels);
  require(from.width && from.height, @"%@: nothing of the source is in clipRectSource", name);
  require(f.window.width >= (is_row ? 1 : from.width) && f.window.height >= (is_row ? from.height : 1), @"%@: clipRect has no room for all values", name);
}

}  // namespace

@implementation MPSImageReduceUnary
@synthesize clipRectSource = _clipRectSource;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _clipRectSource = MPSRectNoClip;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageReduceUnary*)other {
  [super standinCopyStateFrom:other];
  _clipRectSource = other->_clipRectSource;
}
@end

#define REDUCTION(Class, is_row, fold)                      \
  @implementation Class                                     \
  -(void)standinCheck : (const Filtering&)f {               \
    check(f, _clipRectSource, is_row, @ #Class);            \
  }                                                         \
  -(Filter)standinFilter {                                  \
    return filter(_clipRectSource, is_row, fold);           \
  }                                                         \
  @end

REDUCTION(MPSImageReduceRowMin, true, smallest)
REDUCTION(MPSImageReduceRowMax, true, largest)
REDUCTION(MPSImageReduceRowSum, true, sum)
REDUCTION(MPSImageReduceRowMean, true, mean)
REDUCTION(MPSImageReduceColumnMin, false, smallest)
REDUCTION(MPSImageReduceColumnMax, false, largest)
REDUCTION(MPSImageReduceColumnSum, false, sum)
REDUCTION(MPSImageReduceColumnMean, false, mean)
