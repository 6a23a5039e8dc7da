// Command queues, command buffers and their encoders.
#pragma once
#import <Metal/MTLCompute.h>

@class MTLCommandBufferDescriptor;
@protocol MTLDevice
, MTLCommandQueue, MTLCommandBufferEncoderInfo, MTLCommandBuffer, MTLCommandEncoder, MTLBlitCommandEncoder;

@protocol MTLCommandQueue <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(nonatomic, copy) NSString* _Nullable label;
- (id<MTLCommandBuffer> _Nullable)commandBuffer;
- (id<MTLCommandBuffer> _Nullable)commandBufferWithDescriptor:(MTLCommandBufferDescriptor* _Nonnull)descriptor;
- (id<MTLCommandBuffer> _Nullable)commandBufferWithUnretainedReferences;
@end

@interface MTLCommandBufferDescriptor : NSObject <NSCopying> {
 @package
  MTLCommandBufferErrorOption _errorOptions;
  BOOL _retainedReferences;
}
@property(nonatomic) MTLCommandBufferErrorOption errorOptions;
@property(nonatomic) BOOL retainedReferences;
@end

@protocol MTLCommandBufferEncoderInfo <NSObject>
@property(readonly, nonatomic) NSArray<NSString*>* _Nonnull debugSignposts;
@property(readonly, nonatomic) MTLCommandEncoderErrorState errorState;
@property(readonly, nonatomic) NSString* _Nonnull label;
@end

@protocol MTLCommandBuffer <NSObject>
@property(readonly, nonatomic) CFTimeInterval GPUEndTime;
@property(readonly, nonatomic) CFTimeInterval GPUStartTime;
@property(readonly, nonatomic) id<MTLCommandQueue> _Nonnull commandQueue;
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) NSError* _Nullable error;
@property(readonly, nonatomic) MTLCommandBufferErrorOption errorOptions;
@property(readonly, nonatomic) CFTimeInterval kernelEndTime;
@property(readonly, nonatomic) CFTimeInterval kernelStartTime;
@property(nonatomic, copy) NSString* _Nullable label;
@property(readonly, nonatomic) BOOL retainedReferences;
@property(readonly, nonatomic) MTLCommandBufferStatus status;
- (void)addCompletedHandler:(MTLCommandBufferHandler _Nonnull)block;
- (void)addScheduledHandler:(MTLCommandBufferHandler _Nonnull)block;
- (id<MTLBlitCommandEncoder> _Nullable)blitCommandEncoder;
- (void)commit;
- (id<MTLComputeCommandEncoder> _Nullable)computeCommandEncoder;
- (id<MTLComputeCommandEncoder> _Nullable)computeCommandEncoderWithDispatchType:(MTLDispatchType)dispatchType;
- (void)encodeSignalEvent:(id<MTLEvent> _Nonnull)event value:(uint64_t)value;
- (void)encodeWaitForEvent:(id<MTLEvent> _Nonnull)event value:(uint64_t)value;
- (void)enqueue;
- (void)popDebugGroup;
- (void)pushDebugGroup:(NSString* _Nonnull)string;
- (void)waitUntilCompleted;
- (void)waitUntilScheduled;
@end

@protocol MTLCommandEncoder <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(nonatomic, copy) NSString* _Nullable label;
- (void)endEncoding;
- (void)insertDebugSignpost:(NSString* _Nonnull)string;
- (void)popDebugGroup;
- (void)pushDebugGroup:(NSString* _Nonnull)string;
@end

@protocol MTLBlitCommandEncoder <MTLCommandEncoder>
- (void)copyFromBuffer:(id<MTLBuffer> _Nonnull)buffer
           sourceOffset:(NSUInteger)sourceOffset
      sourceBytesPerRow:(NSUInteger)sourceBytesPerRow
    sourceBytesPerImage:(NSUInteger)sourceBytesPerImage
             sourceSize:(MTLSize)sourceSize
              toTexture:(id<MTLTexture> _Nonnull)texture
       destinationSlice:(NSUInteger)destinationSlice
       destinationLevel:(NSUInteger)destinationLevel
      destinationOrigin:(MTLOrigin)destinationOrigin;
- (void)copyFromBuffer:(id<MTLBuffer> _Nonnull)buffer
          sourceOffset:(NSUInteger)sourceOffset
              toBuffer:(id<MTLBuffer> _Nonnull)buffer2
     destinationOffset:(NSUInteger)destinationOffset
                  size:(NSUInteger)size;
- (void)copyFromTexture:(id<MTLTexture> _Nonnull)texture
                 sourceSlice:(NSUInteger)sourceSlice
                 sourceLevel:(NSUInteger)sourceLevel
                sourceOrigin:(MTLOrigin)sourceOrigin
                  sourceSize:(MTLSize)sourceSize
                    toBuffer:(id<MTLBuffer> _Nonnull)buffer
           destinationOffset:(NSUInteger)destinationOffset
      destinationBytesPerRow:(NSUInteger)destinationBytesPerRow
    destinationBytesPerImage:(NSUInteger)destinationBytesPerImage;
- (void)copyFromTexture:(id<MTLTexture> _Nonnull)texture
            sourceSlice:(NSUInteger)sourceSlice
            sourceLevel:(NSUInteger)sourceLevel
           sourceOrigin:(MTLOrigin)sourceOrigin
             sourceSize:(MTLSize)sourceSize
              toTexture:(id<MTLTexture> _Nonnull)texture2
       destinationSlice:(NSUInteger)destinationSlice
       destinationLevel:(NSUInteger)destinationLevel
      destinationOrigin:(MTLOrigin)destinationOrigin;
- (void)copyFromTexture:(id<MTLTexture> _Nonnull)texture toTexture:(id<MTLTexture> _Nonnull)texture2;
- (void)fillBuffer:(id<MTLBuffer> _Nonnull)buffer range:(NSRange)range value:(uint8_t)value;
- (void)optimizeContentsForCPUAccess:(id<MTLTexture> _Nonnull)texture;
- (void)optimizeContentsForGPUAccess:(id<MTLTexture> _Nonnull)texture;
- (void)synchronizeResource:(id<MTLResource> _Nonnull)resource;
- (void)synchronizeTexture:(id<MTLTexture> _Nonnull)texture slice:(NSUInteger)slice level:(NSUInteger)level;
@end

@protocol MTLComputeCommandEncoder <MTLCommandEncoder>
@property(readonly, nonatomic) MTLDispatchType dispatchType;
- (void)dispatchThreadgroups:(MTLSize)threadgroupsPerGrid threadsPerThreadgroup:(MTLSize)threadsPerThreadgroup;
- (void)dispatchThreads:(MTLSize)threadsPerGrid threadsPerThreadgroup:(MTLSize)threadsPerThreadgroup;
- (void)setBuffer:(id<MTLBuffer> _Nullable)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)setBufferOffset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)setBytes:(const void* _Nonnull)bytes length:(NSUInteger)length atIndex:(NSUInteger)index;
- (void)setComputePipelineState:(id<MTLComputePipelineState> _Nonnull)state;
- (void)setTexture:(id<MTLTexture> _Nullable)texture atIndex:(NSUInteger)index;
@end
