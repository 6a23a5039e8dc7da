// The stand-in's own resource classes.
#pragma once
#include "standin.hpp"

@interface StandinResource : NSObject <MTLResource> {
 @public
  NSString* _label;
  id<MTLDevice> _device;
  std::shared_ptr<standin::Memory> _memory;
  MTLResourceOptions _options;
  MTLPurgeableState _purgeable;
}
- (instancetype)initWithMemory:(std::shared_ptr<standin::Memory>)memory device:(id<MTLDevice>)device options:(MTLResourceOptions)options;
@end

@interface StandinBuffer : StandinResource <MTLBuffer>
@end

@interface StandinTexture : StandinResource <MTLTexture> {
 @public
  MTLTextureDescriptor* _descriptor;
  id<MTLBuffer> _buffer;  // of a linear texture
  StandinTexture* _parent;
  std::vector<standin::Pixels> _levels;
  NSUInteger _parentLevel, _parentSlice;
}
// +1, or nil when there is no memory.
+ (StandinTexture*)newWithDescriptor:(MTLTextureDescriptor*)descriptor device:(id<MTLDevice>)device;
+ (StandinTexture*)newOnBuffer:(StandinBuffer*)buffer
                    descriptor:(MTLTextureDescriptor*)descriptor
                        offset:(NSUInteger)offset
                   bytesPerRow:(NSUInteger)bytesPerRow;
@end

namespace standin {
inline MTLStorageMode storage_mode(MTLResourceOptions options) { return static_cast<MTLStorageMode>((options >> 4) & 15); }
void check_options(MTLResourceOptions options);
}  // namespace standin
