// Line segments, by means that have nothing in common with edge drawing: thin pixels of large gradient, those that touch each other as one
// group, and a line through a group that lies on one. Edges that meet in a corner are no line here. What the definition leaves open is made
// unlike the CPU engine: segments come in the order of their first pixels, from either end, and the count tells of those that had no room.
#include <array>
#include <cmath>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Finder {
  Source src;
  Window part;
  double sigma, gradient, error;
  double shortest;

  std::vector<double> blurred() const {
    const long w = src.width(), h = src.height(), r = static_cast<long>(std::ceil(3.7 * sigma));
    std::vector<double> weights, across(static_cast<std::size_t>(w * h)), both = across;
    double sum = 0;
    for (long i = -r; i <= r; ++i) sum += weights.emplace_back(r == 0 ? 1 : std::exp(-static_cast<double>(i * i) / (2 * sigma * sigma)));
    for (const bool is_down : {false, true})
      for (long y = 0; y < h; ++y)
        for (long x = 0; x < w; ++x) {
          double v = 0;
          for (long i = -r; i <= r; ++i)
            v += weights[static_cast<std::size_t>(i + r)] / sum * (is_down ? across[static_cast<std::size_t>(std::clamp(y + i, 0l, h - 1) * w + x)] : src.at(x + i, y, 0));
          (is_down ? both : across)[static_cast<std::size_t>(y * w + x)] = v;
        }
    return both;
  }
  // 1 where the gradient is large and largest across the edge.
  std::vector<int> thin() const {
    const std::vector<double> b = blurred();
    const long w = src.width(), h = src.height();
    std::vector<double> g(b.size());
    std::vector<int> is_steep(b.size()), out(b.size());
    for (long y = 0; y < h; ++y)
      for (long x = 0; x < w; ++x) {
        const auto s = [&](long i, long j) { return b[static_cast<std::size_t>(std::clamp(y + j, 0l, h - 1) * w + std::clamp(x + i, 0l, w - 1))]; };
        const double gx = s(1, -1) - s(-1, -1) + 2 * (s(1, 0) - s(-1, 0)) + s(1, 1) - s(-1, 1);
        const double gy = s(-1, 1) - s(-1, -1) + 2 * (s(0, 1) - s(0, -1)) + s(1, 1) - s(1, -1);
        g[static_cast<std::size_t>(y * w + x)] = std::hypot(gx, gy);
        is_steep[static_cast<std::size_t>(y * w + x)] = std::abs(gx) >= std::abs(gy);
      }
    const auto at = [&](long x, long y) { return x < 0 || y < 0 || x >= w || y >= h ? 0 : g[static_cast<std::size_t>(y * w + x)]; };
    for (long y = part.y; y < part.y + part.height; ++y)
      for (long x = part.x; x < part.x + part.width; ++x) {
        const auto i = static_cast<std::size_t>(y * w + x);
        const bool s = is_steep[i];
        out[i] = g[i] >= gradient && g[i] >= (s ? at(x - 1, y) : at(x, y - 1)) && g[i] > (s ? at(x + 1, y) : at(x, y + 1));
      }
    return out;
  }

  using Points = std::vector<std::array<long, 2>>;
  // The ends of the line through a group, start and end; empty when it is none.
  std::vector<std::array<double, 2>> line(const Points& points) const {
    double n = static_cast<double>(points.size()), mx = 0, my = 0, a = 0, b = 0, c = 0;
    for (const auto& [x, y] : points) {
      mx += static_cast<double>(x) / n;
      my += static_cast<double>(y) / n;
    }
    for (const auto& [x, y] : points) {
      const double dx = static_cast<double>(x) - mx, dy = static_cast<double>(y) - my;
      a += dx * dx / n;
      b += dx * dy / n;
      c += dy * dy / n;
    }
    const double root = std::hypot((a - c) / 2, b), angle = std::atan2(2 * b, a - c) / 2;
    if (std::sqrt(std::max((a + c) / 2 - root, 0.0)) > 20 * error) return {};
    double low = 0, high = 0;
    for (const auto& [x, y] : points) {
      const double t = (static_cast<double>(x) - mx) * std::cos(angle) + (static_cast<double>(y) - my) * std::sin(angle);
      low = std::min(low, t);
      high = std::max(high, t);
    }
    if (high - low + 1 < shortest) return {};
    return {{mx + high * std::cos(angle), my + high * std::sin(angle)}, {mx + low * std::cos(angle), my + low * std::sin(angle)}};
  }
};

}  // namespace

@implementation MPSImageEDLines
@synthesize clipRectSource = _clipRectSource, gaussianSigma = _gaussianSigma, minLineLength = _minLineLength, maxLines = _maxLines, detailRatio = _detailRatio,
            gradientThreshold = _gradientThreshold, lineErrorThreshold = _lineErrorThreshold, mergeLocalityThreshold = _mergeLocalityThreshold;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                 gaussianSigma:(const float)gaussianSigma
                 minLineLength:(const unsigned short)minLineLength
                      maxLines:(const NSUInteger)maxLines
                   detailRatio:(const unsigned short)detailRatio
             gradientThreshold:(const float)gradientThreshold
            lineErrorThreshold:(const float)lineErrorThreshold
        mergeLocalityThreshold:(const float)mergeLocalityThreshold {
  require(gaussianSigma >= 0, @"MPSImageEDLines: sigma %g", static_cast<double>(gaussianSigma));
  require(minLineLength > 0 && maxLines > 0 && detailRatio > 0, @"MPSImageEDLines: minLineLength %d, maxLines %lu, detailRatio %d", minLineLength, lu(maxLines), detailRatio);
  if ((self = [super initWithDevice:device])) {
    _clipRectSource = MPSRectNoClip;
    _gaussianSigma = gaussianSigma;
    _minLineLength = minLineLength;
    _maxLines = maxLines;
    _detailRatio = detailRatio;
    _gradientThreshold = gradientThreshold;
    _lineErrorThreshold = lineErrorThreshold;
    _mergeLocalityThreshold = mergeLocalityThreshold;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageEDLines*)other {
  [super standinCopyStateFrom:other];
  _clipRectSource = other->_clipRectSource;
  _gaussianSigma = other->_gaussianSigma;
  _minLineLength = other->_minLineLength;
  _maxLines = other->_maxLines;
  _detailRatio = other->_detailRatio;
  _gradientThreshold = other->_gradientThreshold;
  _lineErrorThreshold = other->_lineErrorThreshold;
  _mergeLocalityThreshold = other->_mergeLocalityThreshold;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
           destinationTexture:(id<MTLTexture>)dest
               endpointBuffer:(id<MTLBuffer>)endpointBuffer
               endpointOffset:(NSUInteger)endpointOffset {
  const Pixels src = pixels(source, MTLTextureUsageShaderRead), dst = dest ? pixels(dest, MTLTextureUsageShaderWrite) : src;
  require(source.textureType == MTLTextureType2D && source.device == _device, @"MPSImageEDLines: a texture that is not 2D, or of another device");
  require(src.format.kind != Kind::uint && src.format.kind != Kind::sint && src.format.channels == 1, @"MPSImageEDLines: a texture of integers, or of several channels");
  require(dst.width == src.width && dst.height == src.height && dst.format.channels == 1, @"MPSImageEDLines: edges of another size, or of several channels");
  require(endpointOffset % 32 == 0, @"MPSImageEDLines: endpointOffset %lu; allowed: multiples of 32", lu(endpointOffset));
  const NSUInteger most = _maxLines;
  require(endpointOffset + 4 + 8 * most <= endpointBuffer.length, @"MPSImageEDLines: %lu segments from %lu end after the buffer's %lu", lu(most), lu(endpointOffset), lu(endpointBuffer.length));
  const Window part = clip(_clipRectSource, src);
  require(part.width && part.height, @"MPSImageEDLines: nothing of the source is in clipRectSource");
  const Finder finder{{src, MPSImageEdgeModeClamp}, part, static_cast<double>(_gaussianSigma), static_cast<double>(_gradientThreshold), static_cast<double>(_lineErrorThreshold),
                      static_cast<double>(_minLineLength)};
  const auto memory = memory_of(endpointBuffer);
  const bool draws = dest != nil;
  std::vector<Use> uses{reads(src), {memory, true}};
  if (draws) uses.push_back(writes(dst));
  encode(commandBuffer, _label ? _label : @"MPSImageEDLines", std::move(uses), [=] {
    auto* count = reinterpret_cast<unsigned int*>(memory->gpu() + endpointOffset);
    auto* ends = reinterpret_cast<unsigned short*>(count + 1);
    std::vector<int> is_edge = finder.thin();
    const long w = finder.src.width(), h = finder.src.height();
    if (draws)
      for (long y = 0; y < h; ++y)
        for (long x = 0; x < w; ++x) dst.put(static_cast<std::size_t>(x), static_cast<std::size_t>(y), 0, is_edge[static_cast<std::size_t>(y * w + x)]);
    *count = 0;
    for (long first = 0; first < w * h; ++first) {
      if (!is_edge[static_cast<std::size_t>(first)]) continue;
      Finder::Points group{{first % w, first / w}};
      is_edge[static_cast<std::size_t>(first)] = 0;
      for (std::size_t i = 0; i < group.size(); ++i) {
        const auto [x, y] = group[i];
        for (long j = std::max(y - 1, 0l); j < std::min(y + 2, h); ++j)
          for (long k = std::max(x - 1, 0l); k < std::min(x + 2, w); ++k)
            if (std::exchange(is_edge[static_cast<std::size_t>(j * w + k)], 0)) group.push_back({k, j});
      }
      const auto line = finder.line(group);
      if (line.empty()) continue;
      if ((*count)++ >= most) continue;
      for (const auto& [x, y] : line) {
        *ends++ = static_cast<unsigned short>(std::lround(std::max(x, 0.0)));
        *ends++ = static_cast<unsigned short>(std::lround(std::max(y, 0.0)));
      }
    }
  });
}
@end
