#include "resource.hpp"

namespace standin {

void check_options(MTLResourceOptions options) {
  require(storage_mode(options) != MTLStorageModeMemoryless, @"memoryless storage is for render targets");
  require(storage_mode(options) <= MTLStorageModePrivate, @"storage mode %lu does not exist", lu(storage_mode(options)));
  require(storage_mode(options) != MTLStorageModePrivate || (options & 15) == 0, @"private storage has no CPU cache mode");
}

std::shared_ptr<Memory> memory_of(id<MTLResource> resource) {
  require([(id)resource isKindOfClass:[StandinResource class]], @"a resource of another implementation");
  return ((StandinResource*)resource)->_memory;
}

}  // namespace standin

using namespace standin;

@implementation StandinResource
@synthesize label = _label, device = _device;
- (instancetype)initWithMemory:(std::shared_ptr<Memory>)memory device:(id<MTLDevice>)device options:(MTLResourceOptions)options {
  if ((self = [super init])) {
    _memory = std::move(memory);
    _device = [device retain];
    _options = options;
    _purgeable = MTLPurgeableStateNonVolatile;
  }
  return self;
}
- (NSUInteger)allocatedSize {
  return (_memory->size() + 4095) / 4096 * 4096;
}
- (MTLCPUCacheMode)cpuCacheMode {
  return static_cast<MTLCPUCacheMode>(_options & 15);
}
- (MTLStorageMode)storageMode {
  return storage_mode(_options);
}
- (MTLHazardTrackingMode)hazardTrackingMode {
  const auto mode = static_cast<MTLHazardTrackingMode>((_options >> 8) & 3);
  return mode == MTLHazardTrackingModeDefault ? MTLHazardTrackingModeTracked : mode;
}
- (MTLResourceOptions)resourceOptions {
  return _options;
}
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)state {
  const MTLPurgeableState before = _purgeable;
  if (state == MTLPurgeableStateKeepCurrent) return before;
  require(_memory->readers == 0 && _memory->writers == 0, @"setPurgeableState: while the GPU uses the resource");
  if (state == MTLPurgeableStateEmpty) {
    _memory->poison();
    if (_memory->has_copies()) _memory->download();
  }
  _purgeable = state;
  return before;
}
- (void)dealloc {
  [_label release];
  [_device release];
  [super dealloc];
}
@end

@implementation StandinBuffer
- (NSUInteger)length {
  return _memory->size();
}
- (void*)contents {
  return _memory->cpu();
}
- (void)didModifyRange:(NSRange)range {
  require(self.storageMode == MTLStorageModeManaged, @"didModifyRange: on a buffer that is not managed");
  require(range.location <= self.length && range.length <= self.length - range.location, @"didModifyRange: %lu + %lu ends after %lu",
          lu(range.location), lu(range.length), lu(self.length));
  _memory->modified(range.location, range.location + range.length);
}
- (id<MTLTexture>)newTextureWithDescriptor:(MTLTextureDescriptor*)descriptor offset:(NSUInteger)offset bytesPerRow:(NSUInteger)bytesPerRow {
  return [StandinTexture newOnBuffer:self descriptor:descriptor offset:offset bytesPerRow:bytesPerRow];
}
@end
