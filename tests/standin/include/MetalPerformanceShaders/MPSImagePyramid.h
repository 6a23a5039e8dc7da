// Mipmapped textures filled level by level, and the differences of their levels.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImagePyramid : MPSUnaryImageKernel {
 @package
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
  float* _weights;
}
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device centerWeight:(float)centerWeight;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                                weights:(const float* _Nonnull)weights NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageGaussianPyramid : MPSImagePyramid
@end

@interface MPSImageLaplacianPyramid : MPSImagePyramid {
 @package
  float _laplacianBias;
  float _laplacianScale;
}
@property(nonatomic, getter=getLaplacianBias) float laplacianBias;
@property(nonatomic, getter=getLaplacianScale) float laplacianScale;
@end

@interface MPSImageLaplacianPyramidSubtract : MPSImageLaplacianPyramid
@end

@interface MPSImageLaplacianPyramidAdd : MPSImageLaplacianPyramid
@end
