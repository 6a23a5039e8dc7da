#include <cstring>

#include "command.hpp"
#include "resource.hpp"

using namespace standin;

namespace standin {
struct ImageState {
  Keep<id<MTLDevice>> device;
  Keep<MPSImageDescriptor*> descriptor;
  Keep<id<MTLTexture>> texture{nil};  // of an image that allocates: at first use
  Keep<MPSImage*> parent{nil};
  Keep<NSString*> label{nil};
  bool is_own = true;                 // allocated its storage
  std::unique_ptr<ReadCount> reads{};  // of a temporary
};

static MTLPixelFormat pixel_format(MPSImageFeatureChannelFormat format, NSUInteger channels) {
  static constexpr MTLPixelFormat table[4][3] = {
      {MTLPixelFormatR8Unorm, MTLPixelFormatRG8Unorm, MTLPixelFormatRGBA8Unorm},
      {MTLPixelFormatR16Unorm, MTLPixelFormatRG16Unorm, MTLPixelFormatRGBA16Unorm},
      {MTLPixelFormatR16Float, MTLPixelFormatRG16Float, MTLPixelFormatRGBA16Float},
      {MTLPixelFormatR32Float, MTLPixelFormatRG32Float, MTLPixelFormatRGBA32Float},
  };
  if (format < MPSImageFeatureChannelFormatUnorm8 || format > MPSImageFeatureChannelFormatFloat32) return MTLPixelFormatInvalid;
  return table[format - MPSImageFeatureChannelFormatUnorm8][channels >= 3 ? 2 : channels == 2 ? 1 : 0];
}
static MPSImageFeatureChannelFormat channel_format(MTLPixelFormat name) {
  const Format f = format_of(name);
  if (f.kind == Kind::real) return f.channel_bytes == 2 ? MPSImageFeatureChannelFormatFloat16 : MPSImageFeatureChannelFormatFloat32;
  if (f.kind == Kind::unorm) return f.channel_bytes == 1 ? MPSImageFeatureChannelFormatUnorm8 : MPSImageFeatureChannelFormatUnorm16;
  return MPSImageFeatureChannelFormatNone;
}

void consume(MPSImage* image) {
  if (ReadCount* reads = image->_state->reads.get()) reads->set(reads->get() - 1);
}

ImageView view(MPSImage* image, MTLTextureUsage needed, id<MTLCommandBuffer> command_buffer) {
  require(image, @"an image that is nil");
  if (const ReadCount* reads = image->_state->reads.get()) reads->check(command_buffer);
  require(image.texture, @"an image without storage");
  return {pixels(image.texture, needed), image.featureChannels, image.numberOfImages};
}
}  // namespace standin

@implementation MPSImageDescriptor
@synthesize channelFormat = _channelFormat, cpuCacheMode = _cpuCacheMode, featureChannels = _featureChannels, height = _height,
            numberOfImages = _numberOfImages, storageMode = _storageMode, usage = _usage, width = _width;
- (instancetype)init {
  if ((self = [super init])) {
    _width = _height = _featureChannels = _numberOfImages = 1;
    _storageMode = MTLStorageModeManaged;
    _usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  }
  return self;
}
+ (instancetype)imageDescriptorWithChannelFormat:(MPSImageFeatureChannelFormat)format
                                           width:(NSUInteger)width
                                          height:(NSUInteger)height
                                 featureChannels:(NSUInteger)channels {
  return [self imageDescriptorWithChannelFormat:format
                                          width:width
                                         height:height
                                featureChannels:channels
                                 numberOfImages:1
                                          usage:MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite];
}
+ (instancetype)imageDescriptorWithChannelFormat:(MPSImageFeatureChannelFormat)format
                                           width:(NSUInteger)width
                                          height:(NSUInteger)height
                                 featureChannels:(NSUInteger)channels
                                  numberOfImages:(NSUInteger)images
                                           usage:(MTLTextureUsage)usage {
  MPSImageDescriptor* d = [[[self alloc] init] autorelease];
  d->_channelFormat = format;
  d->_width = width;
  d->_height = height;
  d->_featureChannels = channels;
  d->_numberOfImages = images;
  d->_usage = usage;
  return d;
}
- (MTLPixelFormat)pixelFormat {
  return pixel_format(_channelFormat, _featureChannels);
}
- (instancetype)copyWithZone:(NSZone*)zone {
  MPSImageDescriptor* d = [[[self class] allocWithZone:zone] init];
  d->_channelFormat = _channelFormat;
  d->_cpuCacheMode = _cpuCacheMode;
  d->_featureChannels = _featureChannels;
  d->_height = _height;
  d->_numberOfImages = _numberOfImages;
  d->_storageMode = _storageMode;
  d->_usage = _usage;
  d->_width = _width;
  return d;
}
@end

static MTLTextureDescriptor* texture_descriptor(MPSImageDescriptor* d) {
  MTLTextureDescriptor* t = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:d.pixelFormat
                                                                               width:d.width
                                                                              height:d.height
                                                                           mipmapped:NO];
  t.arrayLength = d.numberOfImages * ((d.featureChannels + 3) / 4);
  t.textureType = d.featureChannels <= 4 && d.numberOfImages == 1 ? MTLTextureType2D : MTLTextureType2DArray;
  t.usage = d.usage;
  t.storageMode = d.storageMode;
  t.cpuCacheMode = d.cpuCacheMode;
  return t;
}

@interface StandinImageAllocator : NSObject <MPSImageAllocator>
@end
@implementation StandinImageAllocator
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [self init];
}
- (MPSImage*)imageForCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                   imageDescriptor:(MPSImageDescriptor*)descriptor
                            kernel:(MPSKernel*)kernel {
  (void)kernel;
  return [[[MPSImage alloc] initWithDevice:commandBuffer.device imageDescriptor:descriptor] autorelease];
}
@end
@interface StandinTemporaryImageAllocator : StandinImageAllocator
@end
@implementation StandinTemporaryImageAllocator
- (MPSImage*)imageForCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                   imageDescriptor:(MPSImageDescriptor*)descriptor
                            kernel:(MPSKernel*)kernel {
  (void)kernel;
  return [MPSTemporaryImage temporaryImageWithCommandBuffer:commandBuffer imageDescriptor:descriptor];
}
@end

@implementation MPSImage
+ (id<MPSImageAllocator>)defaultAllocator {
  return [[[StandinImageAllocator alloc] init] autorelease];
}
- (instancetype)initWithState:(ImageState)state {
  if ((self = [super init])) _state = new ImageState(std::move(state));
  return self;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device imageDescriptor:(const MPSImageDescriptor*)descriptor {
  MPSImageDescriptor* copy = [[(MPSImageDescriptor*)descriptor copy] autorelease];
  require(copy.pixelFormat != MTLPixelFormatInvalid, @"an image without a channel format");
  require(copy.width && copy.height && copy.featureChannels && copy.numberOfImages, @"an empty image");
  return [self initWithState:{.device = Keep(device), .descriptor = Keep(copy)}];
}
- (instancetype)initWithTexture:(id<MTLTexture>)texture featureChannels:(NSUInteger)channels {
  require(texture, @"an image of no texture");
  require(channels, @"an image without channels");
  const NSUInteger slices = (channels + 3) / 4, components = static_cast<NSUInteger>(format_of(texture.pixelFormat).channels);
  require(texture.textureType != MTLTextureType2D || channels <= components, @"%lu channels in a texture of %lu", lu(channels),
          lu(components));
  require(texture.arrayLength % slices == 0, @"%lu slices for images of %lu channels", lu(texture.arrayLength), lu(channels));
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:channel_format(texture.pixelFormat)
                                                                         width:texture.width
                                                                        height:texture.height
                                                               featureChannels:channels
                                                                numberOfImages:texture.arrayLength / slices
                                                                         usage:texture.usage];
  d.storageMode = texture.storageMode;
  return [self initWithState:{.device = Keep([texture device]), .descriptor = Keep(d), .texture = Keep(texture), .is_own = false}];
}
- (instancetype)initWithParentImage:(MPSImage*)parent sliceRange:(NSRange)range featureChannels:(NSUInteger)channels {
  require(!parent->_state->reads, @"the stand-in has no views of temporary images");
  const NSUInteger slices = (channels + 3) / 4;
  require(range.length && range.length % slices == 0, @"%lu slices for images of %lu channels", lu(range.length), lu(channels));
  const auto type = range.length == 1 ? MTLTextureType2D : MTLTextureType2DArray;
  id<MTLTexture> texture = [[parent.texture newTextureViewWithPixelFormat:parent.pixelFormat
                                                              textureType:type
                                                                   levels:NSMakeRange(0, 1)
                                                                   slices:range] autorelease];
  MPSImageDescriptor* d = [[parent->_state->descriptor.get() copy] autorelease];
  d.featureChannels = channels;
  d.numberOfImages = range.length / slices;
  return [self initWithState:{.device = parent->_state->device, .descriptor = Keep(d), .texture = Keep(texture), .parent = Keep(parent),
                              .is_own = false}];
}
- (id<MTLDevice>)device {
  return _state->device.get();
}
- (MPSImageFeatureChannelFormat)featureChannelFormat {
  return _state->descriptor.get().channelFormat;
}
- (NSUInteger)featureChannels {
  return _state->descriptor.get().featureChannels;
}
- (NSUInteger)width {
  return _state->descriptor.get().width;
}
- (NSUInteger)height {
  return _state->descriptor.get().height;
}
- (NSUInteger)numberOfImages {
  return _state->descriptor.get().numberOfImages;
}
- (MTLTextureUsage)usage {
  return _state->descriptor.get().usage;
}
- (NSString*)label {
  return _state->label.get();
}
- (void)setLabel:(NSString*)label {
  _state->label = Keep<NSString*>([[label copy] autorelease]);
}
- (MPSImage*)parent {
  return _state->parent.get();
}
- (MTLPixelFormat)pixelFormat {
  return _state->texture.get() ? _state->texture.get().pixelFormat : _state->descriptor.get().pixelFormat;
}
- (MTLTextureType)textureType {
  return _state->texture.get() ? _state->texture.get().textureType : texture_descriptor(_state->descriptor.get()).textureType;
}
- (size_t)pixelSize {
  return format_of(self.pixelFormat).bytes();
}
- (NSUInteger)precision {
  const Format f = format_of(self.pixelFormat);
  if (f.kind == Kind::real) return f.channel_bytes == 2 ? 11 : 24;
  return static_cast<NSUInteger>(8 * f.channel_bytes - (f.kind == Kind::snorm ? 1 : 0));
}
- (id<MTLTexture>)texture {
  if (!_state->texture.get()) {
    id<MTLTexture> made = [_state->device.get() newTextureWithDescriptor:texture_descriptor(_state->descriptor.get())];
    _state->texture = Keep(made);
    [made release];
    if (made && _state->reads) _state->reads->memory = memory_of(made);
  }
  return _state->texture.get();
}
- (MPSImageBatch*)batchRepresentation {
  return [self batchRepresentationWithSubRange:NSMakeRange(0, self.numberOfImages)];
}
- (MPSImageBatch*)batchRepresentationWithSubRange:(NSRange)range {
  require(NSMaxRange(range) <= self.numberOfImages, @"images past the last of %lu", lu(self.numberOfImages));
  NSMutableArray* batch = [NSMutableArray array];
  const NSUInteger slices = (self.featureChannels + 3) / 4;
  for (NSUInteger i = range.location; i < NSMaxRange(range); ++i) {
    MPSImage* image = [[MPSImage alloc] initWithParentImage:self
                                                 sliceRange:NSMakeRange(i * slices, slices)
                                            featureChannels:self.featureChannels];
    [batch addObject:image];
    [image release];
  }
  return batch;
}
- (MPSImage*)subImageWithFeatureChannelRange:(NSRange)range {
  require(self.numberOfImages == 1, @"the stand-in's sub-images are of single images");
  require(range.location % 4 == 0 && (range.length % 4 == 0 || NSMaxRange(range) >= self.featureChannels), @"channels not at slices");
  const NSUInteger end = NSMaxRange(range) < self.featureChannels ? NSMaxRange(range) : self.featureChannels;
  require(range.location < end, @"a sub-image without channels");
  return [[[MPSImage alloc] initWithParentImage:self
                                     sliceRange:NSMakeRange(range.location / 4, (end - range.location + 3) / 4)
                                featureChannels:end - range.location] autorelease];
}
- (NSUInteger)resourceSize {
  if (!_state->is_own) return 0;
  MTLTextureDescriptor* d = texture_descriptor(_state->descriptor.get());
  return d.width * d.height * d.arrayLength * format_of(d.pixelFormat).bytes();
}
- (MPSPurgeableState)setPurgeableState:(MPSPurgeableState)state {
  if (!_state->texture.get()) return MPSPurgeableStateAllocationDeferred;
  return static_cast<MPSPurgeableState>([_state->texture.get() setPurgeableState:static_cast<MTLPurgeableState>(state)]);
}
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  id<MTLTexture> texture = _state->texture.get();
  if (!texture || texture.storageMode != MTLStorageModeManaged) return;
  const auto memory = memory_of(texture);
  encode(commandBuffer, @"synchronize", {{memory, true}}, [memory] { memory->download(); });
}

// Elements between the texture and the caller's bytes; `bytes_per_column` 0 means without gaps.
- (void)transfer:(std::byte*)bytes
           write:(bool)is_write
          layout:(MPSDataLayout)layout
          column:(NSUInteger)column
             row:(NSUInteger)row
           image:(NSUInteger)image
          region:(MTLRegion)r
            info:(MPSImageReadWriteParams)info
           index:(NSUInteger)index {
  StandinTexture* texture = self.texture;
  require(texture, @"an image without storage");
  require(texture.storageMode != MTLStorageModePrivate, @"the CPU cannot reach a private image");
  const auto& memory = *texture->_memory;
  require(memory.writers == 0 && (!is_write || memory.readers == 0), @"bytes of an image before its command buffer completed");
  const ImageView v = {pixels(texture), self.featureChannels, self.numberOfImages};
  const NSUInteger first = info.featureChannelOffset, count = info.numberOfFeatureChannelsToReadWrite;
  require(first % 4 == 0 && count && (first == 0 || count % 4 == 0) && first + count <= v.channels, @"channels %lu + %lu of %lu", lu(first),
          lu(count), lu(v.channels));
  require(r.origin.x + r.size.width <= v.width && r.origin.y + r.size.height <= v.height, @"a region past the image's end");
  require(index + r.origin.z + r.size.depth <= v.images, @"image %lu of %lu", lu(index + r.origin.z), lu(v.images));
  const auto element = static_cast<std::size_t>(v.format.channel_bytes);
  const bool is_planar = layout == MPSDataLayoutFeatureChannelsxHeightxWidth;
  const std::size_t step = column ? column : is_planar ? element : count * element;
  for (NSUInteger n = 0; n < r.size.depth; ++n)
    for (NSUInteger y = 0; y < r.size.height; ++y)
      for (NSUInteger x = 0; x < r.size.width; ++x)
        for (NSUInteger c = 0; c < count; ++c) {
          std::byte* outside = bytes + n * image + x * step + (is_planar ? (c * r.size.height + y) * row : y * row + c * element);
          const std::byte* pixel =
              v.pixel(r.origin.x + x, r.origin.y + y, v.slice_of(first + c, index + r.origin.z + n)) + (first + c) % 4 * element;
          std::byte* inside = memory.cpu() + (pixel - memory.gpu());
          if (is_write) {
            std::memcpy(inside, outside, element);
          } else {
            std::memcpy(outside, inside, element);
          }
        }
  if (is_write) texture->_memory->modified(0, memory.size());
}
- (void)transfer:(std::byte*)bytes write:(bool)is_write layout:(MPSDataLayout)layout index:(NSUInteger)index {
  const std::size_t element = static_cast<std::size_t>(format_of(self.pixelFormat).channel_bytes);
  [self transfer:bytes
           write:is_write
          layout:layout
          column:0
             row:self.width * element * (layout == MPSDataLayoutHeightxWidthxFeatureChannels ? self.featureChannels : 1)
           image:0
          region:MTLRegionMake2D(0, 0, self.width, self.height)
            info:{0, self.featureChannels}
           index:index];
}
- (void)readBytes:(void*)bytes dataLayout:(MPSDataLayout)layout imageIndex:(NSUInteger)index {
  [self transfer:static_cast<std::byte*>(bytes) write:false layout:layout index:index];
}
- (void)readBytes:(void*)bytes
            dataLayout:(MPSDataLayout)layout
           bytesPerRow:(NSUInteger)row
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)info
            imageIndex:(NSUInteger)index {
  [self readBytes:bytes dataLayout:layout bytesPerRow:row bytesPerImage:0 region:region featureChannelInfo:info imageIndex:index];
}
- (void)readBytes:(void*)bytes
            dataLayout:(MPSDataLayout)layout
           bytesPerRow:(NSUInteger)row
         bytesPerImage:(NSUInteger)image
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)info
            imageIndex:(NSUInteger)index {
  auto* to = static_cast<std::byte*>(bytes);
  [self transfer:to write:false layout:layout column:0 row:row image:image region:region info:info index:index];
}
- (void)writeBytes:(const void*)bytes dataLayout:(MPSDataLayout)layout imageIndex:(NSUInteger)index {
  [self transfer:static_cast<std::byte*>(const_cast<void*>(bytes)) write:true layout:layout index:index];
}
- (void)writeBytes:(const void*)bytes
            dataLayout:(MPSDataLayout)layout
           bytesPerRow:(NSUInteger)row
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)info
            imageIndex:(NSUInteger)index {
  [self writeBytes:bytes dataLayout:layout bytesPerRow:row bytesPerImage:0 region:region featureChannelInfo:info imageIndex:index];
}
- (void)writeBytes:(const void*)bytes
            dataLayout:(MPSDataLayout)layout
           bytesPerRow:(NSUInteger)row
         bytesPerImage:(NSUInteger)image
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)info
            imageIndex:(NSUInteger)index {
  [self writeBytes:bytes
              dataLayout:layout
          bytesPerColumn:0
             bytesPerRow:row
           bytesPerImage:image
                  region:region
      featureChannelInfo:info
              imageIndex:index];
}
- (void)writeBytes:(const void*)bytes
            dataLayout:(MPSDataLayout)layout
        bytesPerColumn:(NSUInteger)column
           bytesPerRow:(NSUInteger)row
         bytesPerImage:(NSUInteger)image
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)info
            imageIndex:(NSUInteger)index {
  auto* from = static_cast<std::byte*>(const_cast<void*>(bytes));
  [self transfer:from write:true layout:layout column:column row:row image:image region:region info:info index:index];
}
- (void)dealloc {
  delete _state;
  [super dealloc];
}
@end

@implementation MPSTemporaryImage
+ (id<MPSImageAllocator>)defaultAllocator {
  return [[[StandinTemporaryImageAllocator alloc] init] autorelease];
}
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                     imageDescriptorList:(NSArray<MPSImageDescriptor*>*)list {
  (void)root(commandBuffer);
  (void)list;
}
+ (instancetype)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                                imageDescriptor:(const MPSImageDescriptor*)descriptor {
  require(root(commandBuffer).status < MTLCommandBufferStatusCommitted, @"a temporary image of a command buffer that was committed");
  MPSImageDescriptor* copy = [[(MPSImageDescriptor*)descriptor copy] autorelease];
  copy.storageMode = MTLStorageModePrivate;
  copy.cpuCacheMode = MTLCPUCacheModeDefaultCache;
  require(copy.pixelFormat != MTLPixelFormatInvalid, @"an image without a channel format");
  require(copy.width && copy.height && copy.featureChannels && copy.numberOfImages, @"an empty image");
  return [[[self alloc]
      initWithState:{.device = Keep([commandBuffer device]), .descriptor = Keep(copy),
                     .reads = std::make_unique<ReadCount>(commandBuffer, "a temporary image with a readCount above 0")}] autorelease];
}
+ (instancetype)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                              textureDescriptor:(const MTLTextureDescriptor*)descriptor {
  const auto channels = static_cast<NSUInteger>(format_of(((MTLTextureDescriptor*)descriptor).pixelFormat).channels);
  return [self temporaryImageWithCommandBuffer:commandBuffer textureDescriptor:descriptor featureChannels:channels];
}
+ (instancetype)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                              textureDescriptor:(const MTLTextureDescriptor*)descriptor
                                featureChannels:(NSUInteger)channels {
  MTLTextureDescriptor* t = (MTLTextureDescriptor*)descriptor;
  require(t.storageMode == MTLStorageModePrivate, @"a temporary image is private");
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:channel_format(t.pixelFormat)
                                                                         width:t.width
                                                                        height:t.height
                                                               featureChannels:channels
                                                                numberOfImages:t.arrayLength / ((channels + 3) / 4)
                                                                         usage:t.usage];
  require(d.pixelFormat == t.pixelFormat, @"the stand-in's temporary images have the formats of channel formats");
  return [self temporaryImageWithCommandBuffer:commandBuffer imageDescriptor:d];
}
- (id<MTLTexture>)texture {
  require(_state->reads->get(), @"a temporary image's texture after its last read");
  return [super texture];
}
- (NSUInteger)readCount {
  return _state->reads->get();
}
- (void)setReadCount:(NSUInteger)count {
  _state->reads->set(count);
}
@end

NSUInteger MPSImageBatchIncrementReadCount(MPSImageBatch* batch, NSInteger amount) {
  NSSet* distinct = [NSSet setWithArray:batch];
  for (MPSImage* image in distinct)
    if (ReadCount* reads = image->_state->reads.get()) reads->set(static_cast<NSUInteger>(static_cast<NSInteger>(reads->get()) + amount));
  return distinct.count;
}
NSInteger MPSImageBatchIterate(MPSImageBatch* batch, NSInteger (^block)(MPSImage*, NSUInteger)) {
  NSMutableSet* seen = [NSMutableSet set];
  for (NSUInteger i = 0; i < batch.count; ++i) {
    MPSImage* image = [batch objectAtIndex:i];
    if ([seen containsObject:image]) continue;
    [seen addObject:image];
    const NSInteger result = block(image, i);
    if (result > NSIntegerMin) return result;
  }
  return NSIntegerMin;
}
NSUInteger MPSImageBatchResourceSize(MPSImageBatch* batch) {
  NSUInteger size = 0;
  for (MPSImage* image in [NSSet setWithArray:batch]) size += image.resourceSize;
  return size;
}
void MPSImageBatchSynchronize(MPSImageBatch* batch, id<MTLCommandBuffer> commandBuffer) {
  for (MPSImage* image in [NSSet setWithArray:batch]) [image synchronizeOnCommandBuffer:commandBuffer];
}
