#include <algorithm>
#include <cstring>

#include "resource.hpp"

using namespace standin;

@implementation MTLTextureDescriptor
@synthesize allowGPUOptimizedContents = _allowGPUOptimizedContents, arrayLength = _arrayLength, cpuCacheMode = _cpuCacheMode,
            depth = _depth, hazardTrackingMode = _hazardTrackingMode, height = _height, mipmapLevelCount = _mipmapLevelCount,
            pixelFormat = _pixelFormat, sampleCount = _sampleCount, storageMode = _storageMode, textureType = _textureType,
            usage = _usage, width = _width;
- (instancetype)init {
  if ((self = [super init])) {
    _allowGPUOptimizedContents = YES;
    _arrayLength = _depth = _height = _mipmapLevelCount = _sampleCount = _width = 1;
    _pixelFormat = MTLPixelFormatRGBA8Unorm;
    _storageMode = MTLStorageModeManaged;
    _textureType = MTLTextureType2D;
    _usage = MTLTextureUsageShaderRead;
  }
  return self;
}
+ (MTLTextureDescriptor*)texture2DDescriptorWithPixelFormat:(MTLPixelFormat)pixelFormat
                                                      width:(NSUInteger)width
                                                     height:(NSUInteger)height
                                                  mipmapped:(BOOL)mipmapped {
  MTLTextureDescriptor* d = [[[self alloc] init] autorelease];
  d->_pixelFormat = pixelFormat;
  d->_width = width;
  d->_height = height;
  if (mipmapped)
    for (NSUInteger side = std::max(width, height); side > 1; side /= 2) ++d->_mipmapLevelCount;
  return d;
}
- (MTLResourceOptions)resourceOptions {
  return static_cast<MTLResourceOptions>(_cpuCacheMode | _storageMode << 4 | _hazardTrackingMode << 8);
}
- (void)setResourceOptions:(MTLResourceOptions)options {
  _cpuCacheMode = static_cast<MTLCPUCacheMode>(options & 15);
  _storageMode = storage_mode(options);
  _hazardTrackingMode = static_cast<MTLHazardTrackingMode>((options >> 8) & 3);
}
- (id)copyWithZone:(NSZone*)zone {
  MTLTextureDescriptor* d = [[[self class] allocWithZone:zone] init];
  d.resourceOptions = self.resourceOptions;
  d->_allowGPUOptimizedContents = _allowGPUOptimizedContents;
  d->_arrayLength = _arrayLength;
  d->_depth = _depth;
  d->_height = _height;
  d->_mipmapLevelCount = _mipmapLevelCount;
  d->_pixelFormat = _pixelFormat;
  d->_sampleCount = _sampleCount;
  d->_textureType = _textureType;
  d->_usage = _usage;
  d->_width = _width;
  return d;
}
@end

static void check_descriptor(MTLTextureDescriptor* d) {
  require(is_known(d.pixelFormat), @"pixel format %lu is not one of the stand-in's", lu(d.pixelFormat));
  require(d.width && d.height && d.width <= 16384 && d.height <= 16384, @"a texture of %lu x %lu; allowed: 1 to 16384", lu(d.width),
          lu(d.height));
  require(d.textureType == MTLTextureType2D || d.textureType == MTLTextureType2DArray,
          @"the stand-in has 2D textures and arrays of them, not type %lu", lu(d.textureType));
  require(d.arrayLength >= 1 && d.arrayLength <= 2048, @"a texture array of %lu slices; allowed: 1 to 2048", lu(d.arrayLength));
  require(d.textureType == MTLTextureType2DArray || d.arrayLength == 1, @"a 2D texture has one slice, not %lu", lu(d.arrayLength));
  require(d.depth == 1 && d.sampleCount == 1, @"the stand-in has no depth and no samples");
  require(d.mipmapLevelCount >= 1 && std::max(d.width, d.height) >> (d.mipmapLevelCount - 1), @"%lu levels of a texture of %lu x %lu",
          lu(d.mipmapLevelCount), lu(d.width), lu(d.height));
  require(d.usage != MTLTextureUsageUnknown, @"a texture whose usage is not stated");
  check_options(d.resourceOptions);
}

@implementation StandinTexture
- (instancetype)initWithMemory:(std::shared_ptr<Memory>)memory
                        device:(id<MTLDevice>)device
                    descriptor:(MTLTextureDescriptor*)descriptor
                        offset:(NSUInteger)offset
                   bytesPerRow:(NSUInteger)bytesPerRow
                 bytesPerSlice:(NSUInteger)bytesPerSlice {
  if ((self = [super initWithMemory:memory device:device options:descriptor.resourceOptions])) {
    _descriptor = [descriptor copy];
    _levels = {{std::move(memory), format_of(descriptor.pixelFormat), descriptor.width, descriptor.height, descriptor.arrayLength, offset,
                bytesPerRow, bytesPerSlice}};
    while (_levels.size() < descriptor.mipmapLevelCount) {  // packed, behind the level before
      Pixels p = _levels.back();
      p.offset += p.slices * p.slice_bytes;
      p.width = std::max<std::size_t>(p.width / 2, 1);
      p.height = std::max<std::size_t>(p.height / 2, 1);
      p.row_bytes = p.width * p.format.bytes();
      p.slice_bytes = p.height * p.row_bytes;
      _levels.push_back(p);
    }
  }
  return self;
}
+ (StandinTexture*)newWithDescriptor:(MTLTextureDescriptor*)descriptor device:(id<MTLDevice>)device {
  check_descriptor(descriptor);
  require(descriptor.storageMode != MTLStorageModeShared || settings().is_apple_family, @"a shared texture needs an Apple GPU");
  const NSUInteger pixel = format_of(descriptor.pixelFormat).bytes(), row = descriptor.width * pixel, slice = row * descriptor.height;
  NSUInteger bytes = 0;
  for (NSUInteger level = 0; level < descriptor.mipmapLevelCount; ++level)
    bytes += std::max<NSUInteger>(descriptor.width >> level, 1) * std::max<NSUInteger>(descriptor.height >> level, 1) * pixel * descriptor.arrayLength;
  auto memory = Memory::allocate(bytes, descriptor.storageMode);
  if (!memory) return nil;
  return [[self alloc] initWithMemory:memory device:device descriptor:descriptor offset:0 bytesPerRow:row bytesPerSlice:slice];
}
+ (StandinTexture*)newOnBuffer:(StandinBuffer*)buffer
                    descriptor:(MTLTextureDescriptor*)d
                        offset:(NSUInteger)offset
                   bytesPerRow:(NSUInteger)bytesPerRow {
  check_descriptor(d);
  const NSUInteger alignment = [buffer.device minimumLinearTextureAlignmentForPixelFormat:d.pixelFormat];
  const NSUInteger row = d.width * format_of(d.pixelFormat).bytes();
  require(d.textureType == MTLTextureType2D, @"a linear texture is 2D, not type %lu", lu(d.textureType));
  require(d.mipmapLevelCount == 1, @"a linear texture has one level, not %lu", lu(d.mipmapLevelCount));
  require(offset % alignment == 0 && bytesPerRow % alignment == 0, @"offset %lu or bytesPerRow %lu is not a multiple of %lu", lu(offset),
          lu(bytesPerRow), lu(alignment));
  require(bytesPerRow >= row, @"bytesPerRow %lu is less than a row of %lu", lu(bytesPerRow), lu(row));
  require(offset <= buffer.length && bytesPerRow * d.height <= buffer.length - offset, @"%lu rows of %lu bytes from %lu end after %lu",
          lu(d.height), lu(bytesPerRow), lu(offset), lu(buffer.length));
  require(d.storageMode == buffer.storageMode, @"storage mode %lu of the descriptor is not the buffer's %lu", lu(d.storageMode),
          lu(buffer.storageMode));
  require(d.cpuCacheMode == buffer.cpuCacheMode, @"CPU cache modes of descriptor and buffer differ");
  require(d.hazardTrackingMode == MTLHazardTrackingModeDefault || d.hazardTrackingMode == buffer.hazardTrackingMode,
          @"hazard tracking modes of descriptor and buffer differ");
  require(!(d.usage & MTLTextureUsageRenderTarget), @"no render target on a linear texture");
  StandinTexture* texture = [[self alloc] initWithMemory:memory_of(buffer)
                                                  device:buffer.device
                                              descriptor:d
                                                  offset:offset
                                             bytesPerRow:bytesPerRow
                                           bytesPerSlice:bytesPerRow * d.height];
  texture->_buffer = [buffer retain];
  return texture;
}

- (BOOL)allowGPUOptimizedContents {
  return _descriptor.allowGPUOptimizedContents;
}
- (NSUInteger)arrayLength {
  return _descriptor.arrayLength;
}
- (id<MTLBuffer>)buffer {
  return _buffer;
}
- (NSUInteger)bufferBytesPerRow {
  return _buffer ? _levels[0].row_bytes : 0;
}
- (NSUInteger)bufferOffset {
  return _buffer ? _levels[0].offset : 0;
}
- (NSUInteger)depth {
  return 1;
}
- (NSUInteger)height {
  return _descriptor.height;
}
- (NSUInteger)width {
  return _descriptor.width;
}
- (BOOL)isFramebufferOnly {
  return NO;
}
- (BOOL)isShareable {
  return NO;
}
- (NSUInteger)mipmapLevelCount {
  return _levels.size();
}
- (NSUInteger)sampleCount {
  return 1;
}
- (NSUInteger)parentRelativeLevel {
  return _parentLevel;
}
- (NSUInteger)parentRelativeSlice {
  return _parentSlice;
}
- (id<MTLTexture>)parentTexture {
  return _parent;
}
- (MTLPixelFormat)pixelFormat {
  return _descriptor.pixelFormat;
}
- (MTLTextureType)textureType {
  return _descriptor.textureType;
}
- (MTLTextureUsage)usage {
  return _descriptor.usage;
}
- (id<MTLTexture>)newTextureViewWithPixelFormat:(MTLPixelFormat)pixelFormat {
  return [self newTextureViewWithPixelFormat:pixelFormat
                                 textureType:self.textureType
                                      levels:NSMakeRange(0, _levels.size())
                                      slices:NSMakeRange(0, self.arrayLength)];
}
- (id<MTLTexture>)newTextureViewWithPixelFormat:(MTLPixelFormat)pixelFormat
                                    textureType:(MTLTextureType)textureType
                                         levels:(NSRange)levels
                                         slices:(NSRange)slices {
  const bool is_other = pixelFormat != self.pixelFormat;
  require(is_known(pixelFormat) && format_of(pixelFormat).bytes() == _levels[0].format.bytes(), @"a view's pixels must be as large");
  require(!is_other || (self.usage & MTLTextureUsagePixelFormatView), @"a view of another format needs MTLTextureUsagePixelFormatView");
  require(levels.length && NSMaxRange(levels) <= _levels.size(), @"levels %lu + %lu of %lu", lu(levels.location), lu(levels.length), lu(_levels.size()));
  require(slices.length && NSMaxRange(slices) <= self.arrayLength, @"slices %lu + %lu of %lu", lu(slices.location), lu(slices.length),
          lu(self.arrayLength));
  MTLTextureDescriptor* d = [[_descriptor copy] autorelease];
  d.pixelFormat = pixelFormat;
  d.textureType = textureType;
  d.arrayLength = slices.length;
  d.width = _levels[levels.location].width;
  d.height = _levels[levels.location].height;
  d.mipmapLevelCount = levels.length;
  check_descriptor(d);
  StandinTexture* texture = [[[self class] alloc] initWithMemory:_memory
                                                          device:_device
                                                      descriptor:d
                                                          offset:0
                                                     bytesPerRow:0
                                                   bytesPerSlice:0];
  for (NSUInteger i = 0; i < levels.length; ++i) {
    Pixels& p = texture->_levels[i];
    p = _levels[levels.location + i];
    p.format = format_of(pixelFormat);
    p.offset += slices.location * p.slice_bytes;
    p.slices = slices.length;
  }
  texture->_parent = [self retain];
  texture->_parentLevel = levels.location;
  texture->_buffer = [_buffer retain];
  texture->_parentSlice = slices.location;
  return texture;
}

// One row of a region after the other: the texture's offset of its bytes, their number, and their place on the other side.
template <class F>
static void each_row(StandinTexture* t, MTLRegion r, NSUInteger level, NSUInteger slice, NSUInteger row_bytes, F copy) {
  const Pixels p = level_of(t, level);
  require(t.storageMode != MTLStorageModePrivate, @"the CPU cannot reach a private texture");
  require(slice < p.slices, @"slice %lu of %lu", lu(slice), lu(p.slices));
  require(r.origin.x + r.size.width <= p.width && r.origin.y + r.size.height <= p.height && r.origin.z == 0 && r.size.depth == 1,
          @"a region of %lu x %lu at (%lu, %lu) in a texture of %lu x %lu", lu(r.size.width), lu(r.size.height), lu(r.origin.x),
          lu(r.origin.y), lu(p.width), lu(p.height));
  const std::size_t bytes = r.size.width * p.format.bytes();
  require(r.size.height == 1 || row_bytes >= bytes, @"bytesPerRow %lu is less than a row of %lu", lu(row_bytes), lu(bytes));
  for (NSUInteger y = 0; y < r.size.height; ++y)
    copy(p.offset + slice * p.slice_bytes + (r.origin.y + y) * p.row_bytes + r.origin.x * p.format.bytes(), bytes, y * row_bytes);
}
- (void)getBytes:(void*)bytes
      bytesPerRow:(NSUInteger)bytesPerRow
    bytesPerImage:(NSUInteger)bytesPerImage
       fromRegion:(MTLRegion)region
      mipmapLevel:(NSUInteger)level
            slice:(NSUInteger)slice {
  (void)bytesPerImage;
  require(_memory->writers == 0, @"getBytes: before the command buffer that writes the texture completed");
  each_row(self, region, level, slice, bytesPerRow, [&](std::size_t at, std::size_t size, std::size_t there) {
    std::memcpy(static_cast<char*>(bytes) + there, _memory->cpu() + at, size);
  });
}
- (void)getBytes:(void*)bytes bytesPerRow:(NSUInteger)bytesPerRow fromRegion:(MTLRegion)region mipmapLevel:(NSUInteger)level {
  [self getBytes:bytes bytesPerRow:bytesPerRow bytesPerImage:0 fromRegion:region mipmapLevel:level slice:0];
}
- (void)replaceRegion:(MTLRegion)region
          mipmapLevel:(NSUInteger)level
                slice:(NSUInteger)slice
            withBytes:(const void*)bytes
          bytesPerRow:(NSUInteger)bytesPerRow
        bytesPerImage:(NSUInteger)bytesPerImage {
  (void)bytesPerImage;
  require(_memory->writers == 0 && _memory->readers == 0, @"replaceRegion: before the command buffer that uses the texture completed");
  each_row(self, region, level, slice, bytesPerRow, [&](std::size_t at, std::size_t size, std::size_t there) {
    std::memcpy(_memory->cpu() + at, static_cast<const char*>(bytes) + there, size);
    _memory->modified(at, at + size);
  });
}
- (void)replaceRegion:(MTLRegion)region
          mipmapLevel:(NSUInteger)level
            withBytes:(const void*)bytes
          bytesPerRow:(NSUInteger)bytesPerRow {
  [self replaceRegion:region mipmapLevel:level slice:0 withBytes:bytes bytesPerRow:bytesPerRow bytesPerImage:0];
}
- (void)dealloc {
  [_descriptor release];
  [_buffer release];
  [_parent release];
  [super dealloc];
}
@end

namespace standin {
Pixels level_of(id<MTLTexture> texture, NSUInteger level) {
  require([(id)texture isKindOfClass:[StandinTexture class]], @"a texture of another implementation, or none");
  const auto& levels = ((StandinTexture*)texture)->_levels;
  require(level < levels.size(), @"level %lu of %lu", lu(level), lu(levels.size()));
  return levels[level];
}
Pixels pixels(id<MTLTexture> texture) { return level_of(texture, 0); }
Pixels pixels(id<MTLTexture> texture, MTLTextureUsage needed) {
  require((texture.usage & needed) == needed, @"a texture of usage %lu where %lu is needed", lu(texture.usage), lu(needed));
  return pixels(texture);
}
}  // namespace standin
