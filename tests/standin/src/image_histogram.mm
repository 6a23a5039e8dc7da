// Histograms of textures, and filters whose tables are made of them on the GPU.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "image_filter.hpp"

namespace standin {

struct Table {  // of one channel; empty leaves it as it is
  std::vector<double> values;
};
struct Transform {  // the kernel and the work that it encoded share it
  std::shared_ptr<std::array<Table, 4>> tables;
};

namespace {

constexpr NSUInteger buffer_alignment = 256;  // of a compute encoder's buffers on any Mac

struct Limits {
  std::size_t bins;
  bool takes_alpha;
  std::array<double, 4> low, high;
  explicit Limits(const MPSImageHistogramInfo& info) : bins(info.numberOfHistogramEntries), takes_alpha(info.histogramForAlpha) {
    for (int c = 0; c < 4; ++c) {
      low[static_cast<std::size_t>(c)] = static_cast<double>(info.minPixelValue[c]);
      high[static_cast<std::size_t>(c)] = static_cast<double>(info.maxPixelValue[c]);
    }
  }
  int channels(const Format& f) const { return f.channels == 4 && !takes_alpha ? 3 : f.channels; }
  std::size_t bytes(const Format& f) const { return bins * 4 * static_cast<std::size_t>(channels(f)); }
  std::size_t bin(double v, double from, double to) const {
    const double t = (std::clamp(v, from, to) - from) / (to - from) * static_cast<double>(bins);
    return t < static_cast<double>(bins) ? static_cast<std::size_t>(t) : bins - 1;
  }
};

void check(const MPSImageHistogramInfo& info, NSString* name) {
  const NSUInteger n = info.numberOfHistogramEntries;
  require(n >= 256 && (n & (n - 1)) == 0, @"%@: %lu entries; allowed: powers of two from 256", name, lu(n));
  for (int c = 0; c < 4; ++c) require(info.minPixelValue[c] < info.maxPixelValue[c], @"%@: an empty range of channel %d", name, c);
}
std::shared_ptr<Memory> bins_of(id<MTLBuffer> buffer, NSUInteger offset, NSUInteger multiple, std::size_t bytes, NSString* name) {
  require(offset % multiple == 0, @"%@: histogramOffset %lu; allowed: multiples of %lu", name, lu(offset), lu(multiple));
  require(offset + bytes <= buffer.length, @"%@: %lu bytes from %lu end after the buffer's %lu", name, lu(bytes), lu(offset), lu(buffer.length));
  return memory_of(buffer);
}
Pixels source_of(id<MTLTexture> texture, id<MTLDevice> device, NSString* name) {
  const Pixels p = pixels(texture, MTLTextureUsageShaderRead);
  require(texture.textureType == MTLTextureType2D && texture.device == device, @"%@: a texture that is not 2D, or of another device", name);
  require(p.format.kind != Kind::uint && p.format.kind != Kind::sint, @"%@: a texture of integers", name);
  return p;
}
Window region_of(const MTLRegion& region, const Pixels& p, NSString* name) {
  const Window w = clip(region, p);
  require(w.width && w.height, @"%@: nothing of the source is in clipRectSource", name);
  return w;
}

struct Range {
  double from, to, least;
};
void count(const Pixels& src, const Window& w, int channel, const Limits& limits, const Range& range, std::byte* to) {
  auto* counts = reinterpret_cast<std::uint32_t*>(to) + static_cast<std::size_t>(channel) * limits.bins;
  for (long y = w.y; y < w.y + w.height; ++y)
    for (long x = w.x; x < w.x + w.width; ++x) {
      const double v = src.get(static_cast<std::size_t>(x), static_cast<std::size_t>(y), channel);
      if (v >= range.least) ++counts[limits.bin(v, range.from, range.to)];
    }
}
std::vector<double> sums(const std::byte* from, const Limits& limits, int channel) {
  const auto* counts = reinterpret_cast<const std::uint32_t*>(from) + static_cast<std::size_t>(channel) * limits.bins;
  std::vector<double> all(limits.bins);
  double sum = 0;
  for (std::size_t b = 0; b < limits.bins; ++b) all[b] = sum += counts[b];
  return all;
}

Filter exchange(Limits limits, std::shared_ptr<std::array<Table, 4>> tables) {
  return [=](const Filtering& f) {
    f.each_pixel([&](long x, long y, int c) {
      const double v = f.src.at(x, y, c);
      const auto i = static_cast<std::size_t>(c);
      const std::vector<double>& table = (*tables)[i].values;
      return table.empty() || std::isnan(v) ? v : table[limits.bin(v, limits.low[i], limits.high[i])];
    });
  };
}

}  // namespace
}  // namespace standin

using namespace standin;

// What all four have.
#define STANDIN_INFO(Class)                                                                                       \
  -(instancetype)initWithDevice : (id<MTLDevice>)device histogramInfo : (const MPSImageHistogramInfo*)info {      \
    check(*info, @ #Class);                                                                                       \
    if ((self = [super initWithDevice:device])) {                                                                 \
      _histogramInfo = *info;                                                                                     \
      [self standinBegin];                                                                                        \
    }                                                                                                             \
    return self;                                                                                                  \
  }
#define STANDIN_SIZE                                             \
  -(size_t)histogramSizeForSourceFormat : (MTLPixelFormat)format { \
    return Limits(_histogramInfo).bytes(format_of(format));      \
  }

@implementation MPSImageHistogram
@synthesize clipRectSource = _clipRectSource, histogramInfo = _histogramInfo, minPixelThresholdValue = _minPixelThresholdValue, zeroHistogram = _zeroHistogram;
STANDIN_INFO(MPSImageHistogram)
STANDIN_SIZE
- (void)standinBegin {
  _clipRectSource = MPSRectNoClip;
  _zeroHistogram = YES;
}
- (void)standinCopyStateFrom:(MPSImageHistogram*)other {
  [super standinCopyStateFrom:other];
  _clipRectSource = other->_clipRectSource;
  _histogramInfo = other->_histogramInfo;
  _minPixelThresholdValue = other->_minPixelThresholdValue;
  _zeroHistogram = other->_zeroHistogram;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
                    histogram:(id<MTLBuffer>)histogram
              histogramOffset:(NSUInteger)offset {
  NSString* name = @"MPSImageHistogram";
  const Limits limits(_histogramInfo);
  const Pixels src = source_of(source, _device, name);
  const Window w = region_of(_clipRectSource, src, name);
  const std::size_t bytes = limits.bytes(src.format);
  const auto to = bins_of(histogram, offset, 32, bytes, name);
  std::array<double, 4> least;
  for (int c = 0; c < 4; ++c) least[static_cast<std::size_t>(c)] = static_cast<double>(_minPixelThresholdValue[c]);
  const bool is_zeroed = _zeroHistogram;
  encode(commandBuffer, _label ? _label : name, {reads(src), {to, true}}, [=] {
    std::byte* counts = to->gpu() + offset;
    if (is_zeroed) std::memset(counts, 0, bytes);
    for (int c = 0; c < limits.channels(src.format); ++c) {
      const auto i = static_cast<std::size_t>(c);
      count(src, w, c, limits, {limits.low[i], limits.high[i], least[i]}, counts);
    }
  });
}
@end

@implementation MPSImageNormalizedHistogram
@synthesize clipRectSource = _clipRectSource, histogramInfo = _histogramInfo, zeroHistogram = _zeroHistogram;
STANDIN_INFO(MPSImageNormalizedHistogram)
STANDIN_SIZE
- (void)standinBegin {
  _clipRectSource = MPSRectNoClip;
  _zeroHistogram = YES;
}
- (void)standinCopyStateFrom:(MPSImageNormalizedHistogram*)other {
  [super standinCopyStateFrom:other];
  _clipRectSource = other->_clipRectSource;
  _histogramInfo = other->_histogramInfo;
  _zeroHistogram = other->_zeroHistogram;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
                minmaxTexture:(id<MTLTexture>)minmaxTexture
                    histogram:(id<MTLBuffer>)histogram
              histogramOffset:(NSUInteger)offset {
  NSString* name = @"MPSImageNormalizedHistogram";
  const Limits limits(_histogramInfo);
  const Pixels src = source_of(source, _device, name), minmax = pixels(minmaxTexture, MTLTextureUsageShaderWrite);
  require(minmax.width >= 2 && minmax.height >= 1 && minmax.format.kind == Kind::real, @"%@: minmaxTexture of %lu x %lu; allowed: two pixels of floats", name,
          lu(minmax.width), lu(minmax.height));
  const Window w = region_of(_clipRectSource, src, name);
  const std::size_t bytes = limits.bytes(src.format);
  const auto to = bins_of(histogram, offset, 32, bytes, name);
  const bool is_zeroed = _zeroHistogram;
  encode(commandBuffer, _label ? _label : name, {reads(src), writes(minmax), {to, true}}, [=] {
    std::byte* counts = to->gpu() + offset;
    if (is_zeroed) std::memset(counts, 0, bytes);
    for (int c = 0; c < src.format.channels; ++c) {
      double least = std::numeric_limits<double>::infinity(), greatest = -least;
      for (long y = w.y; y < w.y + w.height; ++y)
        for (long x = w.x; x < w.x + w.width; ++x) {
          const double v = src.get(static_cast<std::size_t>(x), static_cast<std::size_t>(y), c);
          least = std::min(least, v);
          greatest = std::max(greatest, v);
        }
      minmax.put(0, 0, c, least);
      minmax.put(1, 0, c, greatest);
      if (c >= limits.channels(src.format)) continue;
      const auto i = static_cast<std::size_t>(c);
      const double from = std::max(least, limits.low[i]), upto = std::min(greatest, limits.high[i]);
      count(src, w, c, limits, {from, upto > from ? upto : from + 1, -std::numeric_limits<double>::infinity()}, counts);
    }
  });
}
@end

// Copies have no table, as with Apple.
#define STANDIN_TRANSFORM(Class)                                                                             \
  STANDIN_INFO(Class)                                                                                        \
  -(void)standinBegin {                                                                                      \
    _transform = new Transform{};                                                                            \
  }                                                                                                          \
  -(void)standinCopyStateFrom : (Class*)other {                                                              \
    [super standinCopyStateFrom:other];                                                                      \
    _histogramInfo = other->_histogramInfo;                                                                  \
    _transform = new Transform{};                                                                            \
  }                                                                                                          \
  -(void)standinCheck : (const Filtering&)f {                                                                \
    require(_transform->tables, @"%@: no transform was encoded", @ #Class);                                  \
    require(f.src.pixels.format.channels == f.dst.format.channels, @"%@: %d channels to %d", @ #Class,       \
            f.src.pixels.format.channels, f.dst.format.channels);                                            \
  }                                                                                                          \
  -(Filter)standinFilter {                                                                                   \
    return exchange(Limits(_histogramInfo), _transform->tables);                                             \
  }                                                                                                          \
  -(void)dealloc {                                                                                           \
    delete _transform;                                                                                       \
    [super dealloc];                                                                                         \
  }

@implementation MPSImageHistogramEqualization
@synthesize histogramInfo = _histogramInfo;
STANDIN_TRANSFORM(MPSImageHistogramEqualization)
- (void)encodeTransformToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                         sourceTexture:(id<MTLTexture>)source
                             histogram:(id<MTLBuffer>)histogram
                       histogramOffset:(NSUInteger)offset {
  NSString* name = @"MPSImageHistogramEqualization";
  const Limits limits(_histogramInfo);
  const Pixels src = source_of(source, _device, name);
  const auto from = bins_of(histogram, offset, buffer_alignment, limits.bytes(src.format), name);
  const auto tables = std::make_shared<std::array<Table, 4>>();
  _transform->tables = tables;
  encode(commandBuffer, name, {{from, false}}, [=] {
    for (int c = 0; c < limits.channels(src.format); ++c) {
      const auto i = static_cast<std::size_t>(c);
      std::vector<double> table = sums(from->gpu() + offset, limits, c);
      const double all = table.back();
      if (all == 0) continue;
      for (double& v : table) v = limits.low[i] + (limits.high[i] - limits.low[i]) * v / all;
      (*tables)[i].values = std::move(table);
    }
  });
}
@end

@implementation MPSImageHistogramSpecification
@synthesize histogramInfo = _histogramInfo;
STANDIN_TRANSFORM(MPSImageHistogramSpecification)
- (void)encodeTransformToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                         sourceTexture:(id<MTLTexture>)source
                       sourceHistogram:(id<MTLBuffer>)sourceHistogram
                 sourceHistogramOffset:(NSUInteger)sourceOffset
                      desiredHistogram:(id<MTLBuffer>)desiredHistogram
                desiredHistogramOffset:(NSUInteger)desiredOffset {
  NSString* name = @"MPSImageHistogramSpecification";
  const Limits limits(_histogramInfo);
  const Pixels src = source_of(source, _device, name);
  const std::size_t bytes = limits.bytes(src.format);
  const auto from = bins_of(sourceHistogram, sourceOffset, buffer_alignment, bytes, name);
  const auto desired = bins_of(desiredHistogram, desiredOffset, buffer_alignment, bytes, name);
  const auto tables = std::make_shared<std::array<Table, 4>>();
  _transform->tables = tables;
  encode(commandBuffer, name, {{from, false}, {desired, false}}, [=] {
    for (int c = 0; c < limits.channels(src.format); ++c) {
      const auto i = static_cast<std::size_t>(c);
      const std::vector<double> s = sums(from->gpu() + sourceOffset, limits, c), d = sums(desired->gpu() + desiredOffset, limits, c);
      if (s.back() == 0 || d.back() == 0) continue;
      std::vector<double>& table = (*tables)[i].values;
      for (std::size_t b = 0, j = 0; b < limits.bins; ++b) {
        while (j + 1 < limits.bins && d[j] * s.back() < s[b] * d.back()) ++j;  // exact below 2**53
        table.push_back(limits.low[i] + (limits.high[i] - limits.low[i]) * static_cast<double>(j) / static_cast<double>(limits.bins - 1));
      }
    }
  });
}
@end
