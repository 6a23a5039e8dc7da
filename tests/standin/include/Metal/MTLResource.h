// Buffers and textures.
#pragma once
#import <Metal/MTLTypes.h>

@class MTLTextureDescriptor;
@protocol MTLDevice
, MTLResource, MTLBuffer, MTLTexture;

@protocol MTLResource <NSObject>
@property(readonly, nonatomic) NSUInteger allocatedSize;
@property(readonly, nonatomic) MTLCPUCacheMode cpuCacheMode;
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) MTLHazardTrackingMode hazardTrackingMode;
@property(nonatomic, copy) NSString* _Nullable label;
@property(readonly, nonatomic) MTLResourceOptions resourceOptions;
@property(readonly, nonatomic) MTLStorageMode storageMode;
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)purgeableState;
@end

@protocol MTLBuffer <MTLResource>
@property(readonly, nonatomic) NSUInteger length;
- (void* _Nonnull)contents;
- (void)didModifyRange:(NSRange)range;
- (id<MTLTexture> _Nullable)newTextureWithDescriptor:(MTLTextureDescriptor* _Nonnull)descriptor
                                              offset:(NSUInteger)offset
                                         bytesPerRow:(NSUInteger)bytesPerRow;
@end

@protocol MTLTexture <MTLResource>
@property(readonly, nonatomic) BOOL allowGPUOptimizedContents;
@property(readonly, nonatomic) NSUInteger arrayLength;
@property(readonly, nonatomic) id<MTLBuffer> _Nullable buffer;
@property(readonly, nonatomic) NSUInteger bufferBytesPerRow;
@property(readonly, nonatomic) NSUInteger bufferOffset;
@property(readonly, nonatomic) NSUInteger depth;
@property(readonly, nonatomic, getter=isFramebufferOnly) BOOL framebufferOnly;
@property(readonly, nonatomic) NSUInteger height;
@property(readonly, nonatomic) NSUInteger mipmapLevelCount;
@property(readonly, nonatomic) NSUInteger parentRelativeLevel;
@property(readonly, nonatomic) NSUInteger parentRelativeSlice;
@property(readonly, nonatomic) id<MTLTexture> _Nullable parentTexture;
@property(readonly, nonatomic) MTLPixelFormat pixelFormat;
@property(readonly, nonatomic) NSUInteger sampleCount;
@property(readonly, nonatomic, getter=isShareable) BOOL shareable;
@property(readonly, nonatomic) MTLTextureType textureType;
@property(readonly, nonatomic) MTLTextureUsage usage;
@property(readonly, nonatomic) NSUInteger width;
- (void)getBytes:(void* _Nonnull)bytes
      bytesPerRow:(NSUInteger)bytesPerRow
    bytesPerImage:(NSUInteger)bytesPerImage
       fromRegion:(MTLRegion)region
      mipmapLevel:(NSUInteger)mipmapLevel
            slice:(NSUInteger)slice;
- (void)getBytes:(void* _Nonnull)bytes
     bytesPerRow:(NSUInteger)bytesPerRow
      fromRegion:(MTLRegion)region
     mipmapLevel:(NSUInteger)mipmapLevel;
- (id<MTLTexture> _Nullable)newTextureViewWithPixelFormat:(MTLPixelFormat)pixelFormat;
- (id<MTLTexture> _Nullable)newTextureViewWithPixelFormat:(MTLPixelFormat)pixelFormat
                                              textureType:(MTLTextureType)textureType
                                                   levels:(NSRange)levels
                                                   slices:(NSRange)slices;
- (void)replaceRegion:(MTLRegion)region
          mipmapLevel:(NSUInteger)mipmapLevel
                slice:(NSUInteger)slice
            withBytes:(const void* _Nonnull)bytes
          bytesPerRow:(NSUInteger)bytesPerRow
        bytesPerImage:(NSUInteger)bytesPerImage;
- (void)replaceRegion:(MTLRegion)region
          mipmapLevel:(NSUInteger)mipmapLevel
            withBytes:(const void* _Nonnull)bytes
          bytesPerRow:(NSUInteger)bytesPerRow;
@end

@interface MTLTextureDescriptor : NSObject <NSCopying> {
 @package
  BOOL _allowGPUOptimizedContents;
  NSUInteger _arrayLength;
  MTLCPUCacheMode _cpuCacheMode;
  NSUInteger _depth;
  MTLHazardTrackingMode _hazardTrackingMode;
  NSUInteger _height;
  NSUInteger _mipmapLevelCount;
  MTLPixelFormat _pixelFormat;
  NSUInteger _sampleCount;
  MTLStorageMode _storageMode;
  MTLTextureType _textureType;
  MTLTextureUsage _usage;
  NSUInteger _width;
}
@property(nonatomic) BOOL allowGPUOptimizedContents;
@property(nonatomic) NSUInteger arrayLength;
@property(nonatomic) MTLCPUCacheMode cpuCacheMode;
@property(nonatomic) NSUInteger depth;
@property(nonatomic) MTLHazardTrackingMode hazardTrackingMode;
@property(nonatomic) NSUInteger height;
@property(nonatomic) NSUInteger mipmapLevelCount;
@property(nonatomic) MTLPixelFormat pixelFormat;
@property(nonatomic) MTLResourceOptions resourceOptions;
@property(nonatomic) NSUInteger sampleCount;
@property(nonatomic) MTLStorageMode storageMode;
@property(nonatomic) MTLTextureType textureType;
@property(nonatomic) MTLTextureUsage usage;
@property(nonatomic) NSUInteger width;
+ (MTLTextureDescriptor* _Nonnull)texture2DDescriptorWithPixelFormat:(MTLPixelFormat)pixelFormat
                                                               width:(NSUInteger)width
                                                              height:(NSUInteger)height
                                                           mipmapped:(BOOL)mipmapped;
@end
