// Two pictures, pixel by pixel.
#include <cmath>
#include <limits>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Combining {
  Source primary, secondary;
  Pixels dst;
  Window window;
};
using BinaryFilter = std::function<void(const Combining&)>;
using Operation = double (*)(double, double);

}  // namespace

@interface MPSBinaryImageKernel (Standin)
- (BinaryFilter)standinFilter;
@end

@implementation MPSBinaryImageKernel
@synthesize clipRect = _clipRect, primaryOffset = _primaryOffset, secondaryOffset = _secondaryOffset, primaryEdgeMode = _primaryEdgeMode,
            secondaryEdgeMode = _secondaryEdgeMode;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _clipRect = MPSRectNoClip;
  return self;
}
- (instancetype)initWithCoder:(NSCoder*)coder device:(id<MTLDevice>)device {
  return [super initWithCoder:coder device:device];
}
- (void)standinCopyStateFrom:(MPSBinaryImageKernel*)other {
  [super standinCopyStateFrom:other];
  _clipRect = other->_clipRect;
  _primaryOffset = other->_primaryOffset;
  _secondaryOffset = other->_secondaryOffset;
  _primaryEdgeMode = other->_primaryEdgeMode;
  _secondaryEdgeMode = other->_secondaryEdgeMode;
}
- (BinaryFilter)standinFilter {
  misuse(@"%@ is not to be used directly", NSStringFromClass([self class]));
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               primaryTexture:(id<MTLTexture>)primary
             secondaryTexture:(id<MTLTexture>)secondary
           destinationTexture:(id<MTLTexture>)destination {
  NSString* name = NSStringFromClass([self class]);
  const Pixels a = pixels(primary, MTLTextureUsageShaderRead), b = pixels(secondary, MTLTextureUsageShaderRead);
  Pixels dst = pixels(destination, MTLTextureUsageShaderWrite);
  dst.is_reduced = _options & MPSKernelOptionsAllowReducedPrecision;
  for (id<MTLTexture> t : {primary, secondary, destination}) {
    require(t.textureType == MTLTextureType2D, @"%@: a texture that is not 2D", name);
    require(t.device == _device, @"%@: a texture of another device", name);
  }
  for (const Pixels& src : {a, b}) {
    require(src.memory != dst.memory || src.offset + src.height * src.row_bytes <= dst.offset || dst.offset + dst.height * dst.row_bytes <= src.offset,
            @"%@: source and destination overlap", name);
    require(src.format.channels == dst.format.channels, @"%@: %d channels to %d", name, src.format.channels, dst.format.channels);
  }
  for (MPSImageEdgeMode mode : {_primaryEdgeMode, _secondaryEdgeMode})
    require(mode == MPSImageEdgeModeZero || mode == MPSImageEdgeModeClamp, @"%@: edge mode %lu", name, lu(mode));
  require(_primaryOffset.z == 0 && _secondaryOffset.z == 0, @"%@: an offset in z", name);
  const Window window = clip(_clipRect, dst);
  require(window.width && window.height, @"%@: nothing of the destination is in clipRect", name);
  const Combining f = {{a, _primaryEdgeMode}, {b, _secondaryEdgeMode}, dst, window};
  const BinaryFilter filter = [self standinFilter];
  encode(commandBuffer, _label ? _label : name, {reads(a), reads(b), writes(dst)}, [=] { filter(f); });
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 primaryImage:(MPSImage*)primary
               secondaryImage:(MPSImage*)secondary
             destinationImage:(MPSImage*)destination {
  (void)view(primary, MTLTextureUsageShaderRead, commandBuffer);
  (void)view(secondary, MTLTextureUsageShaderRead, commandBuffer);
  (void)view(destination, MTLTextureUsageShaderWrite, commandBuffer);
  [self encodeToCommandBuffer:commandBuffer primaryTexture:primary.texture secondaryTexture:secondary.texture destinationTexture:destination.texture];
  consume(primary);
  consume(secondary);
}
@end

@interface MPSImageArithmetic (Standin)
- (Operation)standinOperation;
@end

@implementation MPSImageArithmetic
@synthesize bias = _bias, maximumValue = _maximumValue, minimumValue = _minimumValue, primaryScale = _primaryScale,
            primaryStrideInPixels = _primaryStrideInPixels, secondaryScale = _secondaryScale, secondaryStrideInPixels = _secondaryStrideInPixels;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) {
    _primaryScale = _secondaryScale = 1;
    _primaryStrideInPixels = _secondaryStrideInPixels = MTLSizeMake(1, 1, 1);
    _minimumValue = -std::numeric_limits<float>::max();
    _maximumValue = std::numeric_limits<float>::max();
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageArithmetic*)other {
  [super standinCopyStateFrom:other];
  _bias = other->_bias;
  _minimumValue = other->_minimumValue;
  _maximumValue = other->_maximumValue;
  _primaryScale = other->_primaryScale;
  _secondaryScale = other->_secondaryScale;
  _primaryStrideInPixels = other->_primaryStrideInPixels;
  _secondaryStrideInPixels = other->_secondaryStrideInPixels;
}
- (Operation)standinOperation {
  misuse(@"%@ is not to be used directly", NSStringFromClass([self class]));
}
- (BinaryFilter)standinFilter {
  const MTLSize p = _primaryStrideInPixels, s = _secondaryStrideInPixels;
  for (const NSUInteger stride : {p.width, p.height, p.depth, s.width, s.height, s.depth})
    require(stride <= 1, @"%@: a stride of %lu; allowed: 0 and 1", NSStringFromClass([self class]), lu(stride));
  const double scale = _primaryScale, other = _secondaryScale, bias = _bias, low = _minimumValue, high = _maximumValue;
  return [=, operation = [self standinOperation], from = _primaryOffset, with = _secondaryOffset](const Combining& f) {
    const auto at = [](const Source& src, const MPSOffset& offset, const MTLSize& stride, long x, long y, int c) {
      return src.at(offset.x + static_cast<long>(stride.width) * x, offset.y + static_cast<long>(stride.height) * y, c);
    };
    for (long y = 0; y < f.window.height; ++y)
      for (long x = 0; x < f.window.width; ++x)
        for (int c = 0; c < f.dst.format.channels; ++c) {
          double v = operation(scale * at(f.primary, from, p, x, y, c), other * at(f.secondary, with, s, x, y, c)) + bias;
          if (!std::isnan(v)) v = std::clamp(v, low, high);
          f.dst.put(static_cast<std::size_t>(f.window.x + x), static_cast<std::size_t>(f.window.y + y), c, v);
        }
  };
}
@end

#define ARITHMETIC(Class, expression)                                   \
  @implementation Class                                                 \
  -(Operation)standinOperation {                                        \
    return [](double a, double b) -> double { return expression; };     \
  }                                                                     \
  @end

ARITHMETIC(MPSImageAdd, a + b)
ARITHMETIC(MPSImageSubtract, a - b)
ARITHMETIC(MPSImageMultiply, a* b)
ARITHMETIC(MPSImageDivide, a / b)
