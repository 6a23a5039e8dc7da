// Edges that follow each other.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImageCanny : MPSUnaryImageKernel {
 @package
  float _colorTransform[3];
  float _sigma;
  float _highThreshold;
  float _lowThreshold;
  BOOL _useFastMode;
}
@property(readonly, nonatomic) const float* _Nonnull colorTransform;
@property(readonly, nonatomic) float sigma;
@property(nonatomic) float highThreshold;
@property(nonatomic) float lowThreshold;
@property(nonatomic) BOOL useFastMode;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
             linearToGrayScaleTransform:(const float* _Nonnull)transform
                                  sigma:(const float)sigma NS_DESIGNATED_INITIALIZER;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end
