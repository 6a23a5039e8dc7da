// Keypoints: where a picture reaches a threshold.
#pragma once
#import <MetalPerformanceShaders/MPSCore.h>

typedef unsigned short vector_ushort2 __attribute__((ext_vector_type(2)));

typedef struct {
  NSUInteger maximumKeypoints;
  float minimumThresholdValue;
} MPSImageKeypointRangeInfo;

typedef struct {
  vector_ushort2 keypointCoordinate;
  float keypointColorValue;
} MPSImageKeypointData;

@interface MPSImageFindKeypoints : MPSKernel {
 @package
  MPSImageKeypointRangeInfo _keypointRangeInfo;
}
@property(readonly, nonatomic) MPSImageKeypointRangeInfo keypointRangeInfo;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                sourceTexture:(id<MTLTexture> _Nonnull)source
                      regions:(const MTLRegion* _Nonnull)regions
              numberOfRegions:(NSUInteger)numberOfRegions
          keypointCountBuffer:(id<MTLBuffer> _Nonnull)keypointCountBuffer
    keypointCountBufferOffset:(NSUInteger)keypointCountBufferOffset
           keypointDataBuffer:(id<MTLBuffer> _Nonnull)keypointDataBuffer
     keypointDataBufferOffset:(NSUInteger)keypointDataBufferOffset;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                   info:(const MPSImageKeypointRangeInfo* _Nonnull)info NS_DESIGNATED_INITIALIZER;
@end
