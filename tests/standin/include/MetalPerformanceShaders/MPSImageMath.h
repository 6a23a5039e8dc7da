// Arithmetic of two images.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSBinaryImageKernel : MPSKernel {
 @package
  MTLRegion _clipRect;
  MPSOffset _primaryOffset;
  MPSOffset _secondaryOffset;
  MPSImageEdgeMode _primaryEdgeMode;
  MPSImageEdgeMode _secondaryEdgeMode;
}
@property(nonatomic) MTLRegion clipRect;
@property(nonatomic) MPSImageEdgeMode primaryEdgeMode;
@property(nonatomic) MPSOffset primaryOffset;
@property(nonatomic) MPSImageEdgeMode secondaryEdgeMode;
@property(nonatomic) MPSOffset secondaryOffset;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 primaryImage:(MPSImage* _Nonnull)primaryImage
               secondaryImage:(MPSImage* _Nonnull)secondaryImage
             destinationImage:(MPSImage* _Nonnull)destinationImage;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               primaryTexture:(id<MTLTexture> _Nonnull)primaryTexture
             secondaryTexture:(id<MTLTexture> _Nonnull)secondaryTexture
           destinationTexture:(id<MTLTexture> _Nonnull)destinationTexture;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageArithmetic : MPSBinaryImageKernel {
 @package
  float _bias;
  float _maximumValue;
  float _minimumValue;
  float _primaryScale;
  MTLSize _primaryStrideInPixels;
  float _secondaryScale;
  MTLSize _secondaryStrideInPixels;
}
@property(nonatomic) float bias;
@property(nonatomic) float maximumValue;
@property(nonatomic) float minimumValue;
@property(nonatomic) float primaryScale;
@property(nonatomic) MTLSize primaryStrideInPixels;
@property(nonatomic) float secondaryScale;
@property(nonatomic) MTLSize secondaryStrideInPixels;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
@end

@interface MPSImageAdd : MPSImageArithmetic
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageSubtract : MPSImageArithmetic
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageMultiply : MPSImageArithmetic
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageDivide : MPSImageArithmetic
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end
