// Images: descriptor, image, temporary image, batches.
#pragma once
#import <MetalPerformanceShaders/MPSCore.h>

namespace standin {
struct ImageState;
}
@class MPSImageDescriptor, MPSImage, MPSTemporaryImage;
@protocol MPSImageAllocator;

extern "C" NSUInteger MPSImageBatchIncrementReadCount(MPSImageBatch* _Nonnull, NSInteger);
extern "C" NSInteger MPSImageBatchIterate(MPSImageBatch* _Nonnull,
                                          NSInteger (^_Nonnull)(MPSImage* _Nonnull, NSUInteger));
extern "C" NSUInteger MPSImageBatchResourceSize(MPSImageBatch* _Nonnull);
extern "C" void MPSImageBatchSynchronize(MPSImageBatch* _Nonnull, id<MTLCommandBuffer> _Nonnull);

@interface MPSImageDescriptor : NSObject <NSCopying> {
 @package
  MPSImageFeatureChannelFormat _channelFormat;
  MTLCPUCacheMode _cpuCacheMode;
  NSUInteger _featureChannels;
  NSUInteger _height;
  NSUInteger _numberOfImages;
  MTLStorageMode _storageMode;
  MTLTextureUsage _usage;
  NSUInteger _width;
}
@property(nonatomic) MPSImageFeatureChannelFormat channelFormat;
@property(nonatomic) MTLCPUCacheMode cpuCacheMode;
@property(nonatomic) NSUInteger featureChannels;
@property(nonatomic) NSUInteger height;
@property(nonatomic) NSUInteger numberOfImages;
@property(readonly, nonatomic) MTLPixelFormat pixelFormat;
@property(nonatomic) MTLStorageMode storageMode;
@property(nonatomic) MTLTextureUsage usage;
@property(nonatomic) NSUInteger width;
+ (instancetype _Nonnull)imageDescriptorWithChannelFormat:(MPSImageFeatureChannelFormat)channelFormat
                                                    width:(NSUInteger)width
                                                   height:(NSUInteger)height
                                          featureChannels:(NSUInteger)featureChannels;
+ (instancetype _Nonnull)imageDescriptorWithChannelFormat:(MPSImageFeatureChannelFormat)channelFormat
                                                    width:(NSUInteger)width
                                                   height:(NSUInteger)height
                                          featureChannels:(NSUInteger)featureChannels
                                           numberOfImages:(NSUInteger)numberOfImages
                                                    usage:(MTLTextureUsage)usage;
- (instancetype _Nonnull)copyWithZone:(NSZone* _Nullable)zone;
@end

@protocol MPSImageAllocator <NSObject, NSSecureCoding>
- (MPSImage* _Nonnull)imageForCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                            imageDescriptor:(MPSImageDescriptor* _Nonnull)imageDescriptor
                                     kernel:(MPSKernel* _Nonnull)kernel;
@optional
- (MPSImageBatch* _Nonnull)imageBatchForCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                      imageDescriptor:(MPSImageDescriptor* _Nonnull)imageDescriptor
                                               kernel:(MPSKernel* _Nonnull)kernel
                                                count:(NSUInteger)count;
@end

@interface MPSImage : NSObject {
 @package
  standin::ImageState* _state;
}
@property(readonly, nonatomic, retain) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) MPSImageFeatureChannelFormat featureChannelFormat;
@property(readonly, nonatomic) NSUInteger featureChannels;
@property(readonly, nonatomic) NSUInteger height;
@property(nonatomic, copy) NSString* _Nullable label;
@property(readonly, nonatomic) NSUInteger numberOfImages;
@property(readonly, nonatomic, retain) MPSImage* _Nullable parent;
@property(readonly, nonatomic) MTLPixelFormat pixelFormat;
@property(readonly, nonatomic) size_t pixelSize;
@property(readonly, nonatomic) NSUInteger precision;
@property(readonly, nonatomic) id<MTLTexture> _Nonnull texture;
@property(readonly, nonatomic) MTLTextureType textureType;
@property(readonly, nonatomic) MTLTextureUsage usage;
@property(readonly, nonatomic) NSUInteger width;
+ (id<MPSImageAllocator> _Nonnull)defaultAllocator;
- (MPSImageBatch* _Nonnull)batchRepresentation;
- (MPSImageBatch* _Nonnull)batchRepresentationWithSubRange:(NSRange)subRange;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                        imageDescriptor:(const MPSImageDescriptor* _Nonnull)imageDescriptor;
- (instancetype _Nonnull)initWithParentImage:(MPSImage* _Nonnull)parentImage
                                  sliceRange:(NSRange)sliceRange
                             featureChannels:(NSUInteger)featureChannels NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithTexture:(id<MTLTexture> _Nonnull)texture featureChannels:(NSUInteger)featureChannels;
- (void)readBytes:(void* _Nonnull)bytes
            dataLayout:(MPSDataLayout)dataLayout
           bytesPerRow:(NSUInteger)bytesPerRow
         bytesPerImage:(NSUInteger)bytesPerImage
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)featureChannelInfo
            imageIndex:(NSUInteger)imageIndex;
- (void)readBytes:(void* _Nonnull)bytes
            dataLayout:(MPSDataLayout)dataLayout
           bytesPerRow:(NSUInteger)bytesPerRow
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)featureChannelInfo
            imageIndex:(NSUInteger)imageIndex;
- (void)readBytes:(void* _Nonnull)bytes dataLayout:(MPSDataLayout)dataLayout imageIndex:(NSUInteger)imageIndex;
- (NSUInteger)resourceSize;
- (MPSPurgeableState)setPurgeableState:(MPSPurgeableState)purgeableState;
- (MPSImage* _Nonnull)subImageWithFeatureChannelRange:(NSRange)featureChannelRange;
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer> _Nonnull)onCommandBuffer;
- (void)writeBytes:(const void* _Nonnull)bytes
            dataLayout:(MPSDataLayout)dataLayout
        bytesPerColumn:(NSUInteger)bytesPerColumn
           bytesPerRow:(NSUInteger)bytesPerRow
         bytesPerImage:(NSUInteger)bytesPerImage
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)featureChannelInfo
            imageIndex:(NSUInteger)imageIndex;
- (void)writeBytes:(const void* _Nonnull)bytes
            dataLayout:(MPSDataLayout)dataLayout
           bytesPerRow:(NSUInteger)bytesPerRow
         bytesPerImage:(NSUInteger)bytesPerImage
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)featureChannelInfo
            imageIndex:(NSUInteger)imageIndex;
- (void)writeBytes:(const void* _Nonnull)bytes
            dataLayout:(MPSDataLayout)dataLayout
           bytesPerRow:(NSUInteger)bytesPerRow
                region:(MTLRegion)region
    featureChannelInfo:(MPSImageReadWriteParams)featureChannelInfo
            imageIndex:(NSUInteger)imageIndex;
- (void)writeBytes:(const void* _Nonnull)bytes dataLayout:(MPSDataLayout)dataLayout imageIndex:(NSUInteger)imageIndex;
@end

@interface MPSTemporaryImage : MPSImage
@property(nonatomic) NSUInteger readCount;
+ (id<MPSImageAllocator> _Nonnull)defaultAllocator;
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                     imageDescriptorList:(NSArray<MPSImageDescriptor*>* _Nonnull)imageDescriptorList;
+ (instancetype _Nonnull)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                         imageDescriptor:(const MPSImageDescriptor* _Nonnull)imageDescriptor;
+ (instancetype _Nonnull)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                       textureDescriptor:(const MTLTextureDescriptor* _Nonnull)textureDescriptor;
+ (instancetype _Nonnull)temporaryImageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                       textureDescriptor:(const MTLTextureDescriptor* _Nonnull)textureDescriptor
                                         featureChannels:(NSUInteger)featureChannels;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                        imageDescriptor:(const MPSImageDescriptor* _Nonnull)imageDescriptor NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithTexture:(id<MTLTexture> _Nonnull)texture
                         featureChannels:(NSUInteger)featureChannels NS_UNAVAILABLE;
@end
