#include <cstring>

#include "command.hpp"
#include "resource.hpp"

using namespace standin;

@interface StandinBlitEncoder : StandinEncoder <MTLBlitCommandEncoder>
@end

namespace {

void check_inside(const Pixels& p, NSUInteger slice, MTLOrigin at, MTLSize size) {
  require(slice < p.slices, @"slice %lu of %lu", lu(slice), lu(p.slices));
  require(size.width && size.height && size.depth == 1 && at.z == 0, @"a copy of %lu x %lu x %lu", lu(size.width), lu(size.height),
          lu(size.depth));
  require(at.x + size.width <= p.width && at.y + size.height <= p.height, @"%lu x %lu at (%lu, %lu) of a texture of %lu x %lu",
          lu(size.width), lu(size.height), lu(at.x), lu(at.y), lu(p.width), lu(p.height));
}

// Rows in a buffer, as texture copies see them.
void check_rows(id<MTLBuffer> buffer, NSUInteger offset, NSUInteger row_bytes, const Pixels& p, MTLSize size) {
  const NSUInteger row = size.width * p.format.bytes();
  const NSUInteger multiple = settings().is_apple_family ? 16 : 256;
  require(offset % p.format.bytes() == 0, @"a buffer offset of %lu is not whole pixels", lu(offset));
  require(size.height == 1 || row_bytes >= row, @"rows of %lu bytes, %lu apart", lu(row), lu(row_bytes));
  require(row_bytes % (size.height == 1 ? p.format.bytes() : multiple) == 0, @"rows %lu bytes apart; allowed: multiples of %lu",
          lu(row_bytes), lu(multiple));
  require(offset + (size.height - 1) * row_bytes + row <= buffer.length, @"rows end after the buffer's %lu bytes", lu(buffer.length));
}

}  // namespace

@implementation StandinBlitEncoder
- (void)uses:(std::vector<Use>)uses work:(Work)work {
  encode_from(self, _commandBuffer, std::move(uses), std::move(work));
}
- (void)copyFromBuffer:(id<MTLBuffer>)from
          sourceOffset:(NSUInteger)fromOffset
              toBuffer:(id<MTLBuffer>)to
     destinationOffset:(NSUInteger)toOffset
                  size:(NSUInteger)size {
  require(fromOffset % 4 == 0 && toOffset % 4 == 0 && size % 4 == 0, @"offsets %lu and %lu and size %lu; allowed: multiples of 4",
          lu(fromOffset), lu(toOffset), lu(size));
  require(size && fromOffset + size <= from.length && toOffset + size <= to.length, @"a copy of %lu bytes past an end", lu(size));
  require(from != to || fromOffset + size <= toOffset || toOffset + size <= fromOffset, @"a copy onto itself");
  const auto a = memory_of(from), b = memory_of(to);
  [self uses:{{a, false}, {b, true}} work:[=] { std::memcpy(b->gpu() + toOffset, a->gpu() + fromOffset, size); }];
}
- (void)fillBuffer:(id<MTLBuffer>)buffer range:(NSRange)range value:(uint8_t)value {
  require(range.location % 4 == 0 && range.length % 4 == 0, @"fillBuffer: %lu + %lu; allowed: multiples of 4", lu(range.location),
          lu(range.length));
  require(range.length && NSMaxRange(range) <= buffer.length, @"fillBuffer: past the end");
  const auto memory = memory_of(buffer);
  [self uses:{{memory, true}} work:[=] { std::memset(memory->gpu() + range.location, value, range.length); }];
}
- (void)copyFromBuffer:(id<MTLBuffer>)buffer
          sourceOffset:(NSUInteger)offset
     sourceBytesPerRow:(NSUInteger)rowBytes
   sourceBytesPerImage:(NSUInteger)imageBytes
            sourceSize:(MTLSize)size
             toTexture:(id<MTLTexture>)texture
      destinationSlice:(NSUInteger)slice
      destinationLevel:(NSUInteger)level
     destinationOrigin:(MTLOrigin)origin {
  (void)imageBytes;
  const Pixels p = level_of(texture, level);
  check_inside(p, slice, origin, size);
  check_rows(buffer, offset, rowBytes, p, size);
  const auto memory = memory_of(buffer);
  [self uses:{{memory, false}, writes(p)} work:[=] {
    for (NSUInteger y = 0; y < size.height; ++y)
      std::memcpy(p.pixel(origin.x, origin.y + y, slice), memory->gpu() + offset + y * rowBytes, size.width * p.format.bytes());
  }];
}
- (void)copyFromTexture:(id<MTLTexture>)texture
             sourceSlice:(NSUInteger)slice
             sourceLevel:(NSUInteger)level
            sourceOrigin:(MTLOrigin)origin
              sourceSize:(MTLSize)size
                toBuffer:(id<MTLBuffer>)buffer
       destinationOffset:(NSUInteger)offset
  destinationBytesPerRow:(NSUInteger)rowBytes
destinationBytesPerImage:(NSUInteger)imageBytes {
  (void)imageBytes;
  const Pixels p = level_of(texture, level);
  check_inside(p, slice, origin, size);
  check_rows(buffer, offset, rowBytes, p, size);
  const auto memory = memory_of(buffer);
  [self uses:{reads(p), {memory, true}} work:[=] {
    for (NSUInteger y = 0; y < size.height; ++y)
      std::memcpy(memory->gpu() + offset + y * rowBytes, p.pixel(origin.x, origin.y + y, slice), size.width * p.format.bytes());
  }];
}
- (void)copyFromTexture:(id<MTLTexture>)from
            sourceSlice:(NSUInteger)fromSlice
            sourceLevel:(NSUInteger)fromLevel
           sourceOrigin:(MTLOrigin)fromOrigin
             sourceSize:(MTLSize)size
              toTexture:(id<MTLTexture>)to
       destinationSlice:(NSUInteger)toSlice
       destinationLevel:(NSUInteger)toLevel
      destinationOrigin:(MTLOrigin)toOrigin {
  require(from.pixelFormat == to.pixelFormat, @"a copy between pixel formats %lu and %lu", lu(from.pixelFormat), lu(to.pixelFormat));
  const Pixels a = level_of(from, fromLevel), b = level_of(to, toLevel);
  check_inside(a, fromSlice, fromOrigin, size);
  check_inside(b, toSlice, toOrigin, size);
  [self uses:{reads(a), writes(b)} work:[=] {
    for (NSUInteger y = 0; y < size.height; ++y)
      std::memmove(b.pixel(toOrigin.x, toOrigin.y + y, toSlice), a.pixel(fromOrigin.x, fromOrigin.y + y, fromSlice),
                   size.width * a.format.bytes());
  }];
}
- (void)copyFromTexture:(id<MTLTexture>)from toTexture:(id<MTLTexture>)to {
  require(from.width == to.width && from.height == to.height && from.arrayLength == to.arrayLength, @"a copy between sizes");
  require(from.mipmapLevelCount == to.mipmapLevelCount, @"a copy of %lu levels to %lu", lu(from.mipmapLevelCount), lu(to.mipmapLevelCount));
  for (NSUInteger level = 0; level < from.mipmapLevelCount; ++level)
    for (NSUInteger slice = 0; slice < from.arrayLength; ++slice)
      [self copyFromTexture:from
                sourceSlice:slice
                sourceLevel:level
               sourceOrigin:MTLOriginMake(0, 0, 0)
                 sourceSize:MTLSizeMake(level_of(from, level).width, level_of(from, level).height, 1)
                  toTexture:to
           destinationSlice:slice
           destinationLevel:level
          destinationOrigin:MTLOriginMake(0, 0, 0)];
}
- (void)optimizeContentsForCPUAccess:(id<MTLTexture>)texture {
  (void)pixels(texture);
}
- (void)optimizeContentsForGPUAccess:(id<MTLTexture>)texture {
  (void)pixels(texture);
}
- (void)synchronizeResource:(id<MTLResource>)resource {
  require(resource.storageMode == MTLStorageModeManaged, @"synchronizeResource: of a resource that is not managed");
  const auto memory = memory_of(resource);
  [self uses:{{memory, true}} work:[=] { memory->download(); }];
}
- (void)synchronizeTexture:(id<MTLTexture>)texture slice:(NSUInteger)slice level:(NSUInteger)level {
  require(slice < texture.arrayLength && level < texture.mipmapLevelCount, @"synchronizeTexture: slice %lu, level %lu", lu(slice), lu(level));
  [self synchronizeResource:texture];
}
@end
