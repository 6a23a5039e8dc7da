#include "image_filter.hpp"

#include <array>
#include <cmath>
#include <cstring>

using namespace standin;

namespace standin {

Window clip(const MTLRegion& r, const Pixels& p) {
  const auto side = [](NSUInteger begin, NSUInteger size, std::size_t all) -> std::pair<long, long> {
    if (begin >= all) return {0, 0};
    return {static_cast<long>(begin), static_cast<long>(std::min<NSUInteger>(size, all - begin))};
  };
  const auto [x, width] = side(r.origin.x, r.size.width, p.width);
  const auto [y, height] = side(r.origin.y, r.size.height, p.height);
  return {x, y, width, height};
}

}  // namespace standin

@implementation MPSUnaryImageKernel
@synthesize clipRect = _clipRect, edgeMode = _edgeMode, offset = _offset;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _clipRect = MPSRectNoClip;
  return self;
}
- (void)standinCopyStateFrom:(MPSUnaryImageKernel*)other {
  [super standinCopyStateFrom:other];
  _clipRect = other->_clipRect;
  _edgeMode = other->_edgeMode;
  _offset = other->_offset;
}
- (Filter)standinFilter {
  misuse(@"%@ is not to be used directly", NSStringFromClass([self class]));
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(1, 1, 1);
}
- (void)standinCheck:(const Filtering&)filtering {
  (void)filtering;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
           destinationTexture:(id<MTLTexture>)destination {
  NSString* name = NSStringFromClass([self class]);
  const Pixels src = pixels(source, MTLTextureUsageShaderRead);
  Pixels dst = pixels(destination, MTLTextureUsageShaderWrite);
  dst.is_reduced = _options & MPSKernelOptionsAllowReducedPrecision;
  require(source.textureType == MTLTextureType2D && destination.textureType == MTLTextureType2D, @"%@: a texture that is not 2D", name);
  require(source.device == _device && destination.device == _device, @"%@: a texture of another device", name);
  require(src.memory != dst.memory || src.offset + src.height * src.row_bytes <= dst.offset ||
              dst.offset + dst.height * dst.row_bytes <= src.offset,
          @"%@: source and destination overlap", name);
  for (const Pixels& p : {src, dst})
    require(p.format.kind != Kind::uint && p.format.kind != Kind::sint, @"%@: a texture of integers", name);
  require(_edgeMode == MPSImageEdgeModeZero || _edgeMode == MPSImageEdgeModeClamp, @"%@: edge mode %lu", name, lu(_edgeMode));
  require(_offset.z == 0, @"%@: offset.z %ld", name, static_cast<long>(_offset.z));
  const Window window = clip(_clipRect, dst);
  require(window.width && window.height, @"%@: nothing of the destination is in clipRect", name);
  const Filtering f = {{src, _edgeMode}, dst, window, _offset.x - window.x, _offset.y - window.y};
  [self standinCheck:f];
  const Filter filter = [self standinFilter];
  encode(commandBuffer, _label ? _label : name, {reads(src), writes(dst)}, [=] { filter(f); });
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  sourceImage:(MPSImage*)source
             destinationImage:(MPSImage*)destination {
  (void)view(source, MTLTextureUsageShaderRead, commandBuffer);
  (void)view(destination, MTLTextureUsageShaderWrite, commandBuffer);
  [self encodeToCommandBuffer:commandBuffer sourceTexture:source.texture destinationTexture:destination.texture];
  consume(source);
}
- (BOOL)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               inPlaceTexture:(id<MTLTexture>*)texture
        fallbackCopyAllocator:(MPSCopyAllocator)allocator {
  if (!allocator) return NO;
  id<MTLTexture> fresh = allocator(self, commandBuffer, *texture);
  if (!fresh) return NO;
  [self encodeToCommandBuffer:commandBuffer sourceTexture:*texture destinationTexture:fresh];
  [*texture release];
  *texture = fresh;
  return YES;
}
- (MPSRegion)sourceRegionForDestinationSize:(MTLSize)size {
  const Window window = clip(_clipRect, {{}, {}, size.width, size.height, 1, 0, 0, 0});
  const MTLSize kernel = [self standinKernelSize];
  return {{static_cast<double>(_offset.x) - static_cast<double>(kernel.width / 2),
           static_cast<double>(_offset.y) - static_cast<double>(kernel.height / 2), 0},
          {static_cast<double>(window.width) + static_cast<double>(kernel.width - 1),
           static_cast<double>(window.height) + static_cast<double>(kernel.height - 1), 1}};
}
@end

@implementation MPSImageConvolution
@synthesize bias = _bias, kernelHeight = _kernelHeight, kernelWidth = _kernelWidth;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)width
                  kernelHeight:(NSUInteger)height
                       weights:(const float*)weights {
  require(width % 2 == 1 && height % 2 == 1, @"MPSImageConvolution: %lu x %lu weights; allowed: odd numbers", lu(width), lu(height));
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = width;
    _kernelHeight = height;
    _weights = new float[width * height];
    std::copy_n(weights, width * height, _weights);
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageConvolution*)other {
  [super standinCopyStateFrom:other];
  _bias = other->_bias;
  _kernelWidth = other->_kernelWidth;
  _kernelHeight = other->_kernelHeight;
  _weights = new float[_kernelWidth * _kernelHeight];
  std::copy_n(other->_weights, _kernelWidth * _kernelHeight, _weights);
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(_kernelWidth, _kernelHeight, 1);
}
- (Filter)standinFilter {
  return [weights = std::vector<double>(_weights, _weights + _kernelWidth * _kernelHeight), width = static_cast<long>(_kernelWidth),
          height = static_cast<long>(_kernelHeight), bias = static_cast<double>(_bias)](const Filtering& f) {
    f.each_pixel([&](long x, long y, int c) {
      double sum = 0;
      for (long j = 0; j < height; ++j)
        for (long i = 0; i < width; ++i)
          sum += weights[static_cast<std::size_t>(j * width + i)] * f.src.at(x + i - width / 2, y + j - height / 2, c);
      return sum + bias;
    });
  };
}
- (void)dealloc {
  delete[] _weights;
  [super dealloc];
}
@end

@implementation MPSImageGaussianBlur
@synthesize sigma = _sigma;
- (instancetype)initWithDevice:(id<MTLDevice>)device sigma:(float)sigma {
  require(sigma >= 0 && std::isfinite(sigma), @"MPSImageGaussianBlur: sigma %g", static_cast<double>(sigma));
  if ((self = [super initWithDevice:device])) _sigma = sigma;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageGaussianBlur*)other {
  [super standinCopyStateFrom:other];
  _sigma = other->_sigma;
}
static long radius(float sigma) { return static_cast<long>(std::ceil(3.7 * static_cast<double>(sigma))); }
- (MTLSize)standinKernelSize {
  const auto side = static_cast<NSUInteger>(2 * radius(_sigma) + 1);
  return MTLSizeMake(side, side, 1);
}
- (Filter)standinFilter {
  const long r = radius(_sigma);
  std::vector<double> weights;
  double sum = 0;
  for (long i = -r; i <= r; ++i) {
    const double t = r ? static_cast<double>(i) / static_cast<double>(_sigma) : 0;
    weights.push_back(std::exp(-0.5 * t * t));
    sum += weights.back();
  }
  for (double& w : weights) w /= sum;
  return [weights, r](const Filtering& f) {
    const Window& w = f.window;
    for (int c = 0; c < f.dst.format.channels; ++c) {
      std::vector<double> columns(static_cast<std::size_t>(w.width * (w.height + 2 * r)));  // blurred sideways
      double* next = columns.data();
      for (long y = w.y + f.dy - r; y < w.y + f.dy + w.height + r; ++y)
        for (long x = w.x + f.dx; x < w.x + f.dx + w.width; ++x, ++next)
          for (long i = -r; i <= r; ++i) *next += weights[static_cast<std::size_t>(i + r)] * f.src.at(x + i, y, c);
      for (long y = 0; y < w.height; ++y)
        for (long x = 0; x < w.width; ++x) {
          double value = 0;
          for (long j = 0; j <= 2 * r; ++j) value += weights[static_cast<std::size_t>(j)] * columns[static_cast<std::size_t>((y + j) * w.width + x)];
          f.dst.put(static_cast<std::size_t>(w.x + x), static_cast<std::size_t>(w.y + y), c, value);
        }
    }
  };
}
@end

@implementation MPSImageSobel
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  const float gray[3] = {0.299f, 0.587f, 0.114f};
  return [self initWithDevice:device linearGrayColorTransform:gray];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device linearGrayColorTransform:(const float*)transform {
  if ((self = [super initWithDevice:device])) std::copy_n(transform, 3, _colorTransform);
  return self;
}
- (const float*)colorTransform {
  return _colorTransform;
}
- (void)standinCopyStateFrom:(MPSImageSobel*)other {
  [super standinCopyStateFrom:other];
  std::copy_n(other->_colorTransform, 3, _colorTransform);
}
- (MTLSize)standinKernelSize {
  return MTLSizeMake(3, 3, 1);
}
- (void)standinCheck:(const Filtering&)f {
  const int from = f.src.pixels.format.channels, to = f.dst.format.channels;
  require(from == to || to == 1, @"MPSImageSobel: %d channels to %d", from, to);
}
- (Filter)standinFilter {
  const std::array<double, 3> gray = {_colorTransform[0], _colorTransform[1], _colorTransform[2]};
  return [gray](const Filtering& f) {
    const bool is_converted = f.src.pixels.format.channels > 1 && f.dst.format.channels == 1;
    f.each_pixel([&](long x, long y, int c) {
      const auto s = [&](long i, long j) {
        if (!is_converted) return f.src.at(x + i, y + j, c);
        double sum = 0;
        for (int k = 0; k < 3; ++k) sum += gray[static_cast<std::size_t>(k)] * f.src.at(x + i, y + j, k);
        return sum;
      };
      const double gx = s(1, -1) - s(-1, -1) + 2 * (s(1, 0) - s(-1, 0)) + s(1, 1) - s(-1, 1);
      const double gy = s(-1, -1) - s(-1, 1) + 2 * (s(0, -1) - s(0, 1)) + s(1, -1) - s(1, 1);
      return std::hypot(gx, gy);
    });
  };
}
@end
