// Image filters.
#pragma once
#import <MetalPerformanceShaders/MPSImage.h>

@class MPSUnaryImageKernel, MPSImageConvolution, MPSImageGaussianBlur, MPSImageSobel, MPSImageScale,
    MPSImageLanczosScale, MPSImageBilinearScale, MPSImageStatisticsMinAndMax, MPSImageStatisticsMeanAndVariance,
    MPSImageStatisticsMean;

@interface MPSUnaryImageKernel : MPSKernel {
 @package
  MTLRegion _clipRect;
  MPSImageEdgeMode _edgeMode;
  MPSOffset _offset;
}
@property(nonatomic) MTLRegion clipRect;
@property(nonatomic) MPSImageEdgeMode edgeMode;
@property(nonatomic) MPSOffset offset;
- (BOOL)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               inPlaceTexture:(id<MTLTexture> _Nonnull* _Nonnull)inPlaceTexture
        fallbackCopyAllocator:(MPSCopyAllocator _Nullable)fallbackCopyAllocator;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  sourceImage:(MPSImage* _Nonnull)sourceImage
             destinationImage:(MPSImage* _Nonnull)destinationImage;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                sourceTexture:(id<MTLTexture> _Nonnull)sourceTexture
           destinationTexture:(id<MTLTexture> _Nonnull)destinationTexture;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (MPSRegion)sourceRegionForDestinationSize:(MTLSize)destinationSize;
@end

@interface MPSImageConvolution : MPSUnaryImageKernel {
 @package
  float* _weights;
  float _bias;
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
}
@property(nonatomic) float bias;
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                                weights:(const float* _Nonnull)weights NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageGaussianBlur : MPSUnaryImageKernel {
 @package
  float _sigma;
}
@property(readonly, nonatomic) float sigma;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device sigma:(float)sigma NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageSobel : MPSUnaryImageKernel {
 @package
  float _colorTransform[3];
}
@property(readonly, nonatomic) const float* _Nonnull colorTransform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
               linearGrayColorTransform:(const float* _Nonnull)linearGrayColorTransform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageScale : MPSUnaryImageKernel {
 @package
  BOOL _hasScaleTransform;
  MPSScaleTransform _scaleTransform;
}
@property(nonatomic) const MPSScaleTransform* _Nullable scaleTransform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageLanczosScale : MPSImageScale
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageBilinearScale : MPSImageScale
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageStatisticsMinAndMax : MPSUnaryImageKernel {
 @package
  MTLRegion _clipRectSource;
}
@property(nonatomic) MTLRegion clipRectSource;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageStatisticsMeanAndVariance : MPSUnaryImageKernel {
 @package
  MTLRegion _clipRectSource;
}
@property(nonatomic) MTLRegion clipRectSource;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageStatisticsMean : MPSUnaryImageKernel {
 @package
  MTLRegion _clipRectSource;
}
@property(nonatomic) MTLRegion clipRectSource;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end
