// Pyramids: one mipmapped texture in place, or two.
#include <algorithm>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

// The window's weighted sum around pixel (x, y) of what `at` says: at(x, y, channel).
struct Weights {
  std::vector<double> weights;
  long width, height;
  template <class At>
  double sum(At at, long x, long y, int channel) const {
    double total = 0;
    for (long j = 0; j < height; ++j)
      for (long i = 0; i < width; ++i)
        total += weights[static_cast<std::size_t>(j * width + i)] * at(x + i - width / 2, y + j - height / 2, channel);
    return total;
  }
};

// A pixel of the picture of zeros whose even rows and columns hold `small`; as large as `large`.
double stuffed(const Source& small, const Source& large, long x, long y, int channel) {
  if (large.edge_mode == MPSImageEdgeModeClamp) {
    x = std::clamp(x, 0l, large.width() - 1);
    y = std::clamp(y, 0l, large.height() - 1);
  } else if (x < 0 || y < 0 || x >= large.width() || y >= large.height()) {
    return 0;
  }
  return x % 2 || y % 2 ? 0 : small.at(x / 2, y / 2, channel);
}

std::vector<Pixels> levels_of(id<MTLTexture> texture, MPSImagePyramid* k) {
  NSString* name = NSStringFromClass([k class]);
  const MTLTextureUsage needed = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite | MTLTextureUsagePixelFormatView;
  require((texture.usage & needed) == needed, @"%@: a texture of usage %lu; needed: read, write and views", name, lu(texture.usage));
  require(texture.textureType == MTLTextureType2D, @"%@: a texture that is not 2D", name);
  require(texture.device == k->_device, @"%@: a texture of another device", name);
  std::vector<Pixels> levels;
  for (NSUInteger i = 0; i < texture.mipmapLevelCount; ++i) levels.push_back(level_of(texture, i));
  require(levels[0].format.kind != Kind::uint && levels[0].format.kind != Kind::sint, @"%@: a texture of integers", name);
  for (Pixels& level : levels) level.is_reduced = k.options & MPSKernelOptionsAllowReducedPrecision;
  return levels;
}

template <class F>
void put_each(const Pixels& to, F value) {
  for (std::size_t y = 0; y < to.height; ++y)
    for (std::size_t x = 0; x < to.width; ++x)
      for (int c = 0; c < to.format.channels; ++c) to.put(x, y, c, value(static_cast<long>(x), static_cast<long>(y), c));
}

void check_edge_mode(MPSImagePyramid* kernel) {
  require(kernel.edgeMode == MPSImageEdgeModeZero || kernel.edgeMode == MPSImageEdgeModeClamp, @"%@: edge mode %lu",
          NSStringFromClass([kernel class]), lu(kernel.edgeMode));
}
Weights window_of(MPSImagePyramid* k) {
  return {{k->_weights, k->_weights + k->_kernelWidth * k->_kernelHeight}, static_cast<long>(k->_kernelWidth), static_cast<long>(k->_kernelHeight)};
}

// level(source's level and the next, destination's level and the next) for each level but the last; from the last on when upwards.
using Level = std::function<void(const Source& src, const Source& below, const Pixels& dst, const Pixels* dst_below)>;
void encode_pair(MPSImagePyramid* k, id<MTLCommandBuffer> commands, id<MTLTexture> source, id<MTLTexture> destination, bool is_upward, Level level) {
  NSString* name = NSStringFromClass([k class]);
  check_edge_mode(k);
  const auto from = levels_of(source, k), to = levels_of(destination, k);
  require(from[0].memory != to[0].memory, @"%@: in place", name);
  require(from[0].format.channels == to[0].format.channels && from[0].format.channel_bytes == to[0].format.channel_bytes,
          @"%@: textures of other channels or bits", name);
  require(from[0].width == to[0].width && from[0].height == to[0].height, @"%@: textures of other sizes", name);
  require(from.size() >= 2, @"%@: a source of one level", name);
  require(to.size() + 1 >= from.size(), @"%@: %lu levels to %lu", name, lu(from.size()), lu(to.size()));
  const MPSImageEdgeMode edge = k.edgeMode;
  encode(commands, k.label ? k.label : name, {reads(from[0]), writes(to[0])}, [=] {
    const std::size_t last = from.size() - 1;
    for (std::size_t n = 0; n < last; ++n) {
      const std::size_t i = is_upward ? last - 1 - n : n;
      level({from[i], edge}, {from[i + 1], edge}, to[i], i + 1 < last ? &to[i + 1] : nullptr);
    }
  });
}

}  // namespace

@implementation MPSImagePyramid
@synthesize kernelHeight = _kernelHeight, kernelWidth = _kernelWidth;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  return [self initWithDevice:device centerWeight:0.375f];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device centerWeight:(float)a {
  const float taps[5] = {0.25f - a / 2, 0.25f, a, 0.25f, 0.25f - a / 2};
  float weights[25];
  for (int i = 0; i < 25; ++i) weights[i] = taps[i / 5] * taps[i % 5];
  return [self initWithDevice:device kernelWidth:5 kernelHeight:5 weights:weights];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelWidth:(NSUInteger)width kernelHeight:(NSUInteger)height weights:(const float*)weights {
  require(width % 2 == 1 && height % 2 == 1, @"%@: %lu x %lu weights; allowed: odd numbers", NSStringFromClass([self class]), lu(width), lu(height));
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = width;
    _kernelHeight = height;
    _weights = new float[width * height];
    std::copy_n(weights, width * height, _weights);
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImagePyramid*)other {
  [super standinCopyStateFrom:other];
  _kernelWidth = other->_kernelWidth;
  _kernelHeight = other->_kernelHeight;
  _weights = new float[_kernelWidth * _kernelHeight];
  std::copy_n(other->_weights, _kernelWidth * _kernelHeight, _weights);
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelWidth, _kernelHeight, 1);
}
- (void)dealloc {
  delete[] _weights;
  [super dealloc];
}
@end

@implementation MPSImageGaussianPyramid
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
           destinationTexture:(id<MTLTexture>)destination {
  (void)commandBuffer, (void)source, (void)destination;
  misuse(@"MPSImageGaussianPyramid works in place only");
}
- (BOOL)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               inPlaceTexture:(id<MTLTexture>*)texture
        fallbackCopyAllocator:(MPSCopyAllocator)allocator {
  if (!allocator && allocation_fails()) return NO;  // MPS may want a texture of its own, and gives up where nobody makes one
  check_edge_mode(self);
  const auto levels = levels_of(*texture, self);
  const Weights window = window_of(self);
  encode(commandBuffer, _label ? _label : @"MPSImageGaussianPyramid", {writes(levels[0])}, [levels, window, edge = _edgeMode] {
    for (std::size_t n = 1; n < levels.size(); ++n) {
      const Source above = {levels[n - 1], edge};
      put_each(levels[n], [&](long x, long y, int c) {
        return window.sum([&](long i, long j, int k) { return above.at(i, j, k); }, 2 * x, 2 * y, c);
      });
    }
  });
  return YES;
}
@end

@implementation MPSImageLaplacianPyramid
@synthesize laplacianBias = _laplacianBias, laplacianScale = _laplacianScale;
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelWidth:(NSUInteger)width kernelHeight:(NSUInteger)height weights:(const float*)weights {
  if ((self = [super initWithDevice:device kernelWidth:width kernelHeight:height weights:weights])) _laplacianScale = 1;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageLaplacianPyramid*)other {
  [super standinCopyStateFrom:other];
  _laplacianBias = other->_laplacianBias;
  _laplacianScale = other->_laplacianScale;
}
- (BOOL)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               inPlaceTexture:(id<MTLTexture>*)texture
        fallbackCopyAllocator:(MPSCopyAllocator)allocator {
  (void)commandBuffer, (void)texture, (void)allocator;
  misuse(@"%@ does not work in place", NSStringFromClass([self class]));
}
@end

@implementation MPSImageLaplacianPyramidSubtract
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
           destinationTexture:(id<MTLTexture>)destination {
  const double bias = static_cast<double>(_laplacianBias), scale = static_cast<double>(_laplacianScale);
  const Weights window = window_of(self);
  encode_pair(self, commandBuffer, source, destination, false, [=](const Source& src, const Source& below, const Pixels& dst, const Pixels*) {
    put_each(dst, [&](long x, long y, int c) {
      const double expanded = window.sum([&](long i, long j, int k) { return stuffed(below, src, i, j, k); }, x, y, c);
      return bias + scale * (src.at(x, y, c) - expanded);
    });
  });
}
@end

@implementation MPSImageLaplacianPyramidAdd
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
           destinationTexture:(id<MTLTexture>)destination {
  const double bias = static_cast<double>(_laplacianBias), scale = static_cast<double>(_laplacianScale);
  const Weights window = window_of(self);
  encode_pair(self, commandBuffer, source, destination, true, [=](const Source& src, const Source& below, const Pixels& dst, const Pixels* dst_below) {
    const Source restored = {dst_below ? *dst_below : below.pixels, src.edge_mode};
    put_each(dst, [&](long x, long y, int c) {
      const double expanded = window.sum([&](long i, long j, int k) { return stuffed(restored, src, i, j, k); }, x, y, c);
      return (src.at(x, y, c) - bias) / scale + expanded;
    });
  });
}
@end
