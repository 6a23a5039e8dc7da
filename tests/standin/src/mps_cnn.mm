// Network kernels: the base class that encodes them, and padding policies.
#include "mps_cnn.hpp"

using namespace standin;

@implementation MPSNNDefaultPadding
+ (BOOL)supportsSecureCoding {
  return YES;
}
+ (instancetype)paddingWithMethod:(MPSNNPaddingMethod)method {
  require(!(method & MPSNNPaddingMethodCustom), @"MPSNNDefaultPadding has no method of its own: the custom bit needs an object that has");
  MPSNNDefaultPadding* padding = [[[self alloc] init] autorelease];
  padding->_method = method;
  return padding;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  [coder encodeInt64:static_cast<int64_t>(_method) forKey:@"method"];
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  if ((self = [super init])) _method = static_cast<MPSNNPaddingMethod>([coder decodeInt64ForKey:@"method"]);
  return self;
}
- (MPSNNPaddingMethod)paddingMethod {
  return _method;
}
- (NSString*)label {
  return [NSString stringWithFormat:@"padding method %lu", lu(_method)];
}
@end

namespace standin {

Tensor read_channels(const ImageView& view, Index image, Index channel, Index channels) {
  Tensor out(static_cast<Index>(view.height), static_cast<Index>(view.width), channels);
  for (Index y = 0; y < out.height; ++y)
    for (Index x = 0; x < out.width; ++x)
      for (Index c = 0; c < channels; ++c)
        out.at(y, x)[c] = static_cast<float>(view.at(static_cast<std::size_t>(x), static_cast<std::size_t>(y), static_cast<std::size_t>(channel + c),
                                                     static_cast<std::size_t>(image)));
  return out;
}

void write_channels(const ImageView& view, Index image, Index x0, Index y0, Index channel, const Tensor& tensor) {
  const Index lanes = (tensor.channels + 3) / 4 * 4;
  for (Index y = 0; y < tensor.height; ++y)
    for (Index x = 0; x < tensor.width; ++x)
      for (Index c = 0; c < lanes; ++c)
        view.set(static_cast<std::size_t>(x0 + x), static_cast<std::size_t>(y0 + y), static_cast<std::size_t>(channel + c),
                 c < tensor.channels ? static_cast<double>(tensor.at(y, x)[c]) : 0.75, static_cast<std::size_t>(image));
}

namespace {

struct Extent {
  NSUInteger destination;
  NSInteger offset;
};
// The formulas that the documentation of padding policies gives for one axis.
Extent padded(NSUInteger source, NSUInteger kernel, NSUInteger stride, NSUInteger dilation, NSInteger style, bool remainder_first) {
  const NSInteger src = static_cast<NSInteger>(source), step = static_cast<NSInteger>(stride);
  const NSInteger k = static_cast<NSInteger>((kernel - 1) * dilation + 1);
  const NSInteger dst = (src + style * (k - 1) + step - 1) / step;
  const NSInteger extra = (dst - 1) * step + k - src;
  const NSInteger left = (extra + (remainder_first ? 1 : 0)) / 2;
  return {static_cast<NSUInteger>(std::max<NSInteger>(dst, 0)), k / 2 - left};
}

void check_channels(NSUInteger offset, NSString* what) {
  require(offset % 4 == 0, @"%@ is %lu; it selects whole slices of four channels", what, lu(offset));
}

}  // namespace
}  // namespace standin

@implementation MPSCNNKernel
@synthesize clipRect = _clipRect, destinationFeatureChannelOffset = _destinationFeatureChannelOffset,
            destinationImageAllocator = _destinationImageAllocator, dilationRateX = _dilationRateX, dilationRateY = _dilationRateY,
            edgeMode = _edgeMode, kernelHeight = _kernelHeight, kernelWidth = _kernelWidth, offset = _offset, padding = _padding,
            sourceFeatureChannelMaxCount = _sourceFeatureChannelMaxCount, sourceFeatureChannelOffset = _sourceFeatureChannelOffset,
            strideInPixelsX = _strideInPixelsX, strideInPixelsY = _strideInPixelsY;

- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) {
    _clipRect = MPSRectNoClip;
    _destinationImageAllocator = [[MPSTemporaryImage defaultAllocator] retain];
    _dilationRateX = _dilationRateY = _kernelHeight = _kernelWidth = _strideInPixelsX = _strideInPixelsY = 1;
    _padding = [[MPSNNDefaultPadding paddingWithMethod:MPSNNPaddingMethodSizeSame] retain];
    _sourceFeatureChannelMaxCount = NSUIntegerMax;
  }
  return self;
}
- (void)dealloc {
  [_destinationImageAllocator release];
  [_padding release];
  [super dealloc];
}
- (void)standinCopyStateFrom:(MPSCNNKernel*)other {
  [super standinCopyStateFrom:other];
  self.destinationImageAllocator = other->_destinationImageAllocator;
  self.padding = other->_padding;
  _clipRect = other->_clipRect;
  _destinationFeatureChannelOffset = other->_destinationFeatureChannelOffset;
  _dilationRateX = other->_dilationRateX;
  _dilationRateY = other->_dilationRateY;
  _edgeMode = other->_edgeMode;
  _kernelHeight = other->_kernelHeight;
  _kernelWidth = other->_kernelWidth;
  _offset = other->_offset;
  _sourceFeatureChannelMaxCount = other->_sourceFeatureChannelMaxCount;
  _sourceFeatureChannelOffset = other->_sourceFeatureChannelOffset;
  _strideInPixelsX = other->_strideInPixelsX;
  _strideInPixelsY = other->_strideInPixelsY;
}
- (BOOL)isBackwards {
  return NO;
}
- (Operation)standinOperation {
  misuse(@"%@ computes nothing: use a subclass", NSStringFromClass([self class]));
}
- (NSUInteger)standinInputChannels {
  return 0;
}
- (NSUInteger)standinOutputChannelsFor:(NSUInteger)input {
  return input;
}
- (NSUInteger)standinChannelsOf:(MPSImage*)source {
  const NSUInteger channels = source.featureChannels;
  check_channels(_sourceFeatureChannelOffset, @"sourceFeatureChannelOffset");
  require(_sourceFeatureChannelOffset < channels, @"sourceFeatureChannelOffset is %lu of %lu channels", lu(_sourceFeatureChannelOffset), lu(channels));
  const NSUInteger count = std::min(channels - _sourceFeatureChannelOffset, _sourceFeatureChannelMaxCount), wanted = [self standinInputChannels];
  require(count > 0 && (wanted == 0 || wanted == count), @"%@ reads %lu channels and is given %lu", NSStringFromClass([self class]), lu(wanted), lu(count));
  return count;
}

- (MPSImageDescriptor*)destinationImageDescriptorForSourceImages:(NSArray<MPSImage*>*)sourceImages sourceStates:(NSArray<MPSState*>*)sourceStates {
  require(sourceImages.count == 1, @"a kernel with one source is given %lu images", lu(sourceImages.count));
  MPSImage* source = [sourceImages objectAtIndex:0];
  const MPSNNPaddingMethod method = [_padding paddingMethod];
  require((method & MPSNNPaddingMethodAlignMask) == MPSNNPaddingMethodAlignCentered, @"what this alignment does to the offset is written nowhere");
  const NSUInteger size = method & MPSNNPaddingMethodSizeMask, remainder = method & MPSNNPaddingMethodAddRemainderToMask;
  require(size <= MPSNNPaddingMethodSizeFull, @"padding method %lu has a reserved size", lu(method));
  const NSInteger style = size == MPSNNPaddingMethodSizeValidOnly ? -1 : size == MPSNNPaddingMethodSizeSame ? 0 : 1;
  const bool left = remainder == MPSNNPaddingMethodAddRemainderToTopLeft || remainder == MPSNNPaddingMethodAddRemainderToBottomLeft;
  const bool top = remainder == MPSNNPaddingMethodAddRemainderToTopLeft || remainder == MPSNNPaddingMethodAddRemainderToTopRight;
  const Extent x = padded(source.width, _kernelWidth, _strideInPixelsX, _dilationRateX, style, left);
  const Extent y = padded(source.height, _kernelHeight, _strideInPixelsY, _dilationRateY, style, top);
  _offset = {x.offset, y.offset, 0};
  MPSImageDescriptor* descriptor =
      [MPSImageDescriptor imageDescriptorWithChannelFormat:source.featureChannelFormat
                                                     width:x.destination
                                                    height:y.destination
                                           featureChannels:[self standinOutputChannelsFor:[self standinChannelsOf:source]]
                                            numberOfImages:source.numberOfImages
                                                     usage:MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite];
  if (method & MPSNNPaddingMethodCustom) {
    require([_padding respondsToSelector:@selector(destinationImageDescriptorForSourceImages:sourceStates:forKernel:suggestedDescriptor:)],
            @"a padding policy with the custom bit lacks its method");
    descriptor = [_padding destinationImageDescriptorForSourceImages:sourceImages sourceStates:sourceStates forKernel:self suggestedDescriptor:descriptor];
    require(descriptor != nil, @"a padding policy gave no descriptor");
  }
  require(descriptor.width > 0 && descriptor.height > 0, @"the padding policy leaves no pixel of %lu x %lu", lu(source.width), lu(source.height));
  return descriptor;
}

- (MPSImage*)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImage:(MPSImage*)sourceImage {
  MPSImageDescriptor* descriptor = [self destinationImageDescriptorForSourceImages:@[ sourceImage ] sourceStates:nil];
  MPSImage* destination = [_destinationImageAllocator imageForCommandBuffer:commandBuffer imageDescriptor:descriptor kernel:self];
  [self encodeToCommandBuffer:commandBuffer sourceImage:sourceImage destinationImage:destination];
  return destination;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImage:(MPSImage*)source destinationImage:(MPSImage*)destination {
  require(source != nil && destination != nil && source != destination, @"source and destination must be two images");
  require(_edgeMode == MPSImageEdgeModeZero || _edgeMode == MPSImageEdgeModeClamp, @"edge mode %lu works in MPSNNPad only", lu(_edgeMode));
  const NSUInteger channels = [self standinChannelsOf:source], outputs = [self standinOutputChannelsFor:channels];
  check_channels(_destinationFeatureChannelOffset, @"destinationFeatureChannelOffset");
  require(_destinationFeatureChannelOffset + outputs <= destination.featureChannels, @"%lu channels from channel %lu on do not fit into %lu", lu(outputs),
          lu(_destinationFeatureChannelOffset), lu(destination.featureChannels));
  const auto clipped = [](NSUInteger origin, NSUInteger size, NSUInteger whole) { return origin >= whole ? 0 : std::min(size, whole - origin); };
  const NSUInteger width = clipped(_clipRect.origin.x, _clipRect.size.width, destination.width);
  const NSUInteger height = clipped(_clipRect.origin.y, _clipRect.size.height, destination.height);
  const NSUInteger images = clipped(_clipRect.origin.z, _clipRect.size.depth, destination.numberOfImages);
  require(_offset.z >= 0 && static_cast<NSUInteger>(_offset.z) + images <= source.numberOfImages, @"%lu images from image %ld on are not in %lu", lu(images),
          static_cast<long>(_offset.z), lu(source.numberOfImages));
  const ImageView from = view(source, MTLTextureUsageShaderRead, commandBuffer), to = view(destination, MTLTextureUsageShaderWrite, commandBuffer);
  const auto axis = [](NSUInteger kernel, NSUInteger stride, NSUInteger dilation, NSInteger offset) {
    return Axis{static_cast<Index>(kernel), static_cast<Index>(stride), static_cast<Index>(dilation), offset};
  };
  const LayerWindow window{axis(_kernelHeight, _strideInPixelsY, _dilationRateY, _offset.y), axis(_kernelWidth, _strideInPixelsX, _dilationRateX, _offset.x),
                      _edgeMode == MPSImageEdgeModeClamp};
  const Operation operation = [self standinOperation];
  const MTLRegion clip = _clipRect;
  const Index first = static_cast<Index>(_sourceFeatureChannelOffset), target = static_cast<Index>(_destinationFeatureChannelOffset), z = _offset.z;
  encode(commandBuffer, NSStringFromClass([self class]), {reads(from), writes(to)}, [=] {
    for (NSUInteger n = 0; n < images; ++n) {
      const Tensor in = read_channels(from, z + static_cast<Index>(n), first, static_cast<Index>(channels));
      write_channels(to, static_cast<Index>(clip.origin.z + n), static_cast<Index>(clip.origin.x), static_cast<Index>(clip.origin.y), target,
            operation(in, window, static_cast<Index>(height), static_cast<Index>(width)));
    }
  });
  consume(source);
}

- (MPSImageBatch*)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImages:(MPSImageBatch*)sourceImages {
  NSMutableArray<MPSImage*>* out = [NSMutableArray array];
  for (MPSImage* image in sourceImages) [out addObject:[self encodeToCommandBuffer:commandBuffer sourceImage:image]];
  return out;
}
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                      sourceImages:(MPSImageBatch*)sourceImages
                 destinationImages:(MPSImageBatch*)destinationImages {
  require(sourceImages.count == destinationImages.count, @"a batch of %lu images into one of %lu", lu(sourceImages.count), lu(destinationImages.count));
  for (NSUInteger i = 0; i < sourceImages.count; ++i) {
    MPSImage *source = [sourceImages objectAtIndex:i], *destination = [destinationImages objectAtIndex:i];
    require(source.numberOfImages == 1 && destination.numberOfImages == 1, @"an image of a batch holds several images");
    [self encodeToCommandBuffer:commandBuffer sourceImage:source destinationImage:destination];
  }
}
@end
