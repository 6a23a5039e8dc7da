// The device.
#pragma once
#import <Metal/MTLCommandBuffer.h>

@protocol MTLDevice;

extern "C" NSArray<id<MTLDevice>>* _Nonnull MTLCopyAllDevices(void) NS_RETURNS_RETAINED;
extern "C" id<MTLDevice> _Nullable MTLCreateSystemDefaultDevice(void) NS_RETURNS_RETAINED;

@protocol MTLDevice <NSObject>
@property(readonly, nonatomic) NSUInteger currentAllocatedSize;
@property(readonly, nonatomic) BOOL hasUnifiedMemory;
@property(readonly, nonatomic, getter=isHeadless) BOOL headless;
@property(readonly, nonatomic) MTLDeviceLocation location;
@property(readonly, nonatomic) NSUInteger locationNumber;
@property(readonly, nonatomic, getter=isLowPower) BOOL lowPower;
@property(readonly, nonatomic) NSUInteger maxBufferLength;
@property(readonly, nonatomic) NSUInteger maxThreadgroupMemoryLength;
@property(readonly, nonatomic) MTLSize maxThreadsPerThreadgroup;
@property(readonly, nonatomic) NSString* _Nonnull name;
@property(readonly, nonatomic) MTLReadWriteTextureTier readWriteTextureSupport;
@property(readonly, nonatomic) uint64_t recommendedMaxWorkingSetSize;
@property(readonly, nonatomic) uint64_t registryID;
@property(readonly, nonatomic, getter=isRemovable) BOOL removable;
@property(readonly, nonatomic) BOOL supports32BitFloatFiltering;
- (NSUInteger)minimumLinearTextureAlignmentForPixelFormat:(MTLPixelFormat)pixelFormat;
- (id<MTLBuffer> _Nullable)newBufferWithBytes:(const void* _Nonnull)bytes
                                       length:(NSUInteger)length
                                      options:(MTLResourceOptions)options;
- (id<MTLBuffer> _Nullable)newBufferWithBytesNoCopy:(void* _Nonnull)pointer
                                             length:(NSUInteger)length
                                            options:(MTLResourceOptions)options
                                        deallocator:(void (^_Nullable)(void* _Nonnull, NSUInteger))deallocator;
- (id<MTLBuffer> _Nullable)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options;
- (id<MTLCommandQueue> _Nullable)newCommandQueue;
- (id<MTLCommandQueue> _Nullable)newCommandQueueWithMaxCommandBufferCount:(NSUInteger)maxCommandBufferCount;
- (id<MTLComputePipelineState> _Nullable)newComputePipelineStateWithFunction:(id<MTLFunction> _Nonnull)computeFunction
                                                                       error:(NSError* _Nullable* _Nullable)error;
- (id<MTLEvent> _Nullable)newEvent;
- (id<MTLLibrary> _Nullable)newLibraryWithSource:(NSString* _Nonnull)source
                                         options:(MTLCompileOptions* _Nullable)options
                                           error:(NSError* _Nullable* _Nullable)error;
- (id<MTLTexture> _Nullable)newTextureWithDescriptor:(MTLTextureDescriptor* _Nonnull)descriptor;
- (BOOL)supportsFamily:(MTLGPUFamily)family;
@end
