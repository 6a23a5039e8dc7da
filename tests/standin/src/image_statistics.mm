#include <limits>

#include "image_filter.hpp"

using namespace standin;

namespace {

// One channel of the region, and what is written beside each other at the origin of clipRect.
using Statistic = std::vector<double> (*)(const std::vector<double>& values);

Filter filter(const MTLRegion& region, Statistic statistic) {
  return [=](const Filtering& f) {
    const Window from = clip(region, f.src.pixels);
    for (int c = 0; c < f.dst.format.channels; ++c) {
      std::vector<double> values;
      for (long y = from.y; y < from.y + from.height; ++y)
        for (long x = from.x; x < from.x + from.width; ++x) values.push_back(f.src.at(x, y, c));
      const std::vector<double> results = statistic(values);
      for (std::size_t i = 0; i < results.size(); ++i)
        f.dst.put(static_cast<std::size_t>(f.window.x) + i, static_cast<std::size_t>(f.window.y), c, results[i]);
    }
  };
}
void check(const Filtering& f, const MTLRegion& region, long width, NSString* name) {
  const Window from = clip(region, f.src.pixels);
  require(from.width && from.height, @"%@: nothing of the source is in clipRectSource", name);
  require(f.window.width >= width, @"%@: clipRect is %ld pixels wide; it needs %ld", name, f.window.width, width);
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}
std::vector<double> mean(const std::vector<double>& values) { return {mean_of(values)}; }
std::vector<double> mean_and_variance(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (double v : values) sum += (v - mean) * (v - mean);
  return {mean, sum / static_cast<double>(values.size())};
}
std::vector<double> min_and_max(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

}  // namespace

// The three classes differ in what they compute and how many pixels that takes.
#define STATISTICS(Class, statistic, pixels)                                         \
  @implementation Class                                                              \
  @synthesize clipRectSource = _clipRectSource;                                      \
  -(instancetype)initWithDevice : (id<MTLDevice>)device {                            \
    if ((self = [super initWithDevice:device])) _clipRectSource = MPSRectNoClip;     \
    return self;                                                                     \
  }                                                                                  \
  -(void)standinCopyStateFrom : (Class*)other {                                      \
    [super standinCopyStateFrom:other];                                              \
    _clipRectSource = other->_clipRectSource;                                        \
  }                                                                                  \
  -(void)standinCheck : (const Filtering&)f {                                        \
    check(f, _clipRectSource, pixels, @ #Class);                                     \
  }                                                                                  \
  -(Filter)standinFilter {                                                           \
    return filter(_clipRectSource, statistic);                                       \
  }                                                                                  \
  @end

STATISTICS(MPSImageStatisticsMinAndMax, min_and_max, 2)
STATISTICS(MPSImageStatisticsMeanAndVariance, mean_and_variance, 2)
STATISTICS(MPSImageStatisticsMean, mean, 1)
