#include <unistd.h>

#include <cstring>
#include <mutex>

#include "command.hpp"
#include "compute.hpp"
#include "event.hpp"
#include "resource.hpp"
#include "warm_up.hpp"

using namespace standin;

@interface StandinDevice : NSObject <MTLDevice> {
 @public
  NSUInteger _index;
}
@end

@implementation StandinDevice
- (NSString*)name {
  return _index == 0 ? @"Stand-in GPU" : [NSString stringWithFormat:@"Stand-in GPU %lu", lu(_index)];
}
- (NSUInteger)currentAllocatedSize {
  return Memory::allocated();
}
- (BOOL)hasUnifiedMemory {
  return settings().is_unified ? YES : NO;
}
- (BOOL)isHeadless {
  return NO;
}
- (BOOL)isLowPower {
  return NO;
}
- (BOOL)isRemovable {
  return NO;
}
- (MTLDeviceLocation)location {
  return MTLDeviceLocationBuiltIn;
}
- (NSUInteger)locationNumber {
  return _index;
}
- (NSUInteger)maxBufferLength {
  return settings().max_buffer_length;
}
- (NSUInteger)maxThreadgroupMemoryLength {
  return 32768;
}
- (MTLSize)maxThreadsPerThreadgroup {
  return MTLSizeMake(1024, 1024, settings().is_apple_family ? 1024 : 64);
}
- (MTLReadWriteTextureTier)readWriteTextureSupport {
  return MTLReadWriteTextureTier2;
}
- (uint64_t)recommendedMaxWorkingSetSize {
  return settings().working_set;
}
- (uint64_t)registryID {
  return 0x5741 + _index;
}
- (BOOL)supports32BitFloatFiltering {
  return settings().is_apple_family ? NO : YES;
}
- (BOOL)supportsFamily:(MTLGPUFamily)family {
  if (family == MTLGPUFamilyMac1 || family == MTLGPUFamilyMac2) return YES;
  if (family >= MTLGPUFamilyCommon1 && family <= MTLGPUFamilyCommon3) return YES;
  return settings().is_apple_family && family >= MTLGPUFamilyApple1 && family <= MTLGPUFamilyApple7 ? YES : NO;
}
- (NSUInteger)minimumLinearTextureAlignmentForPixelFormat:(MTLPixelFormat)format {
  require(is_known(format), @"pixel format %lu is not one of the stand-in's", lu(format));
  return settings().linear_texture_alignment;
}
- (id<MTLCommandQueue>)newCommandQueue {
  return [self newCommandQueueWithMaxCommandBufferCount:64];
}
- (id<MTLCommandQueue>)newCommandQueueWithMaxCommandBufferCount:(NSUInteger)count {
  require(count > 0, @"a queue of no command buffers");
  return [[StandinQueue alloc] initWithDevice:self limit:count];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  check_options(options);
  auto memory = Memory::allocate(length, storage_mode(options));
  return memory ? [[StandinBuffer alloc] initWithMemory:std::move(memory) device:self options:options] : nil;
}
- (id<MTLBuffer>)newBufferWithBytes:(const void*)bytes length:(NSUInteger)length options:(MTLResourceOptions)options {
  require(storage_mode(options) != MTLStorageModePrivate, @"the CPU's bytes do not go into a private buffer");
  StandinBuffer* buffer = [self newBufferWithLength:length options:options];
  if (!buffer) return nil;
  std::memcpy(buffer->_memory->cpu(), bytes, length);
  buffer->_memory->modified(0, length);
  return buffer;
}
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void*)pointer
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(void (^)(void*, NSUInteger))deallocator {
  check_options(options);
  require(storage_mode(options) != MTLStorageModePrivate, @"private storage is not made of the CPU's memory");
  const auto page = static_cast<NSUInteger>(getpagesize());
  if (reinterpret_cast<uintptr_t>(pointer) % page || length % page || !length) return nil;
  auto memory = Memory::adopt(pointer, length, storage_mode(options), deallocator);
  return memory ? [[StandinBuffer alloc] initWithMemory:std::move(memory) device:self options:options] : nil;
}
- (id<MTLLibrary>)newLibraryWithSource:(NSString*)source options:(MTLCompileOptions*)options error:(NSError**)error {
  require(!options || options.languageVersion, @"a language version of 0");
  std::vector<Entry> kernels;
  const std::string wrong = parse(source.UTF8String, kernels);
  if (wrong.empty()) return [[StandinLibrary alloc] initWithDevice:self entries:std::move(kernels)];
  NSDictionary* info = @{NSLocalizedDescriptionKey : [NSString stringWithUTF8String:wrong.c_str()]};
  if (error) *error = [NSError errorWithDomain:MTLLibraryErrorDomain code:MTLLibraryErrorCompileFailure userInfo:info];
  return nil;
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function error:(NSError**)error {
  (void)error;
  require([(id)function isKindOfClass:[StandinFunction class]], @"a function of another implementation, or none");
  return [[StandinPipeline alloc] initWithDevice:self entries:((StandinFunction*)function)->_entries];
}
- (id<MTLEvent>)newEvent {
  return [[StandinEvent alloc] initWithDevice:self];
}
- (id<MTLTexture>)newTextureWithDescriptor:(MTLTextureDescriptor*)descriptor {
  return [StandinTexture newWithDescriptor:descriptor device:self];
}
@end

static NSArray<id<MTLDevice>>* devices() {
  static NSArray* all = nil;
  static std::once_flag once;
  std::call_once(once, [] {
    warm_up();
    NSMutableArray* made = [NSMutableArray array];
    for (NSUInteger i = 0; i < settings().devices; ++i) {
      StandinDevice* device = [[StandinDevice alloc] init];
      device->_index = i;
      [made addObject:device];
      [device release];
    }
    all = [made copy];
  });
  return all;
}

id<MTLDevice> MTLCreateSystemDefaultDevice(void) { return [MPSGetPreferredDevice(MPSDeviceOptionsDefault) retain]; }
NSArray<id<MTLDevice>>* MTLCopyAllDevices(void) { return [devices() retain]; }
id<MTLDevice> MPSGetPreferredDevice(MPSDeviceOptions) { return devices().count ? [devices() objectAtIndex:0] : nil; }
BOOL MPSSupportsMTLDevice(id<MTLDevice> device) { return device != nil ? YES : NO; }
