// Image filters over windows, thresholds, transposes and integrals.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImageLaplacian : MPSUnaryImageKernel {
 @package
  float _bias;
}
@property(nonatomic) float bias;
@end

@interface MPSImageBox : MPSUnaryImageKernel {
 @package
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
}
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageTent : MPSImageBox
@end

@interface MPSImageAreaMax : MPSUnaryImageKernel {
 @package
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
}
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageAreaMin : MPSImageAreaMax
@end

@interface MPSImageDilate : MPSUnaryImageKernel {
 @package
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
  float* _values;
}
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                                 values:(const float* _Nonnull)values NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageErode : MPSImageDilate
@end

@interface MPSImageMedian : MPSUnaryImageKernel {
 @package
  NSUInteger _kernelDiameter;
}
@property(readonly, nonatomic) NSUInteger kernelDiameter;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device kernelDiameter:(NSUInteger)kernelDiameter NS_DESIGNATED_INITIALIZER;
+ (NSUInteger)maxKernelDiameter;
+ (NSUInteger)minKernelDiameter;
@end

@interface MPSImageThresholdBinary : MPSUnaryImageKernel {
 @package
  float _maximumValue;
  float _thresholdValue;
  float _transform[3];
}
@property(readonly, nonatomic) float maximumValue;
@property(readonly, nonatomic) float thresholdValue;
@property(readonly, nonatomic) const float* _Nonnull transform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         thresholdValue:(float)thresholdValue
                           maximumValue:(float)maximumValue
               linearGrayColorTransform:(const float* _Nullable)transform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageThresholdBinaryInverse : MPSUnaryImageKernel {
 @package
  float _maximumValue;
  float _thresholdValue;
  float _transform[3];
}
@property(readonly, nonatomic) float maximumValue;
@property(readonly, nonatomic) float thresholdValue;
@property(readonly, nonatomic) const float* _Nonnull transform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         thresholdValue:(float)thresholdValue
                           maximumValue:(float)maximumValue
               linearGrayColorTransform:(const float* _Nullable)transform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageThresholdTruncate : MPSUnaryImageKernel {
 @package
  float _thresholdValue;
  float _transform[3];
}
@property(readonly, nonatomic) float thresholdValue;
@property(readonly, nonatomic) const float* _Nonnull transform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         thresholdValue:(float)thresholdValue
               linearGrayColorTransform:(const float* _Nullable)transform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageThresholdToZero : MPSUnaryImageKernel {
 @package
  float _thresholdValue;
  float _transform[3];
}
@property(readonly, nonatomic) float thresholdValue;
@property(readonly, nonatomic) const float* _Nonnull transform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         thresholdValue:(float)thresholdValue
               linearGrayColorTransform:(const float* _Nullable)transform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageThresholdToZeroInverse : MPSUnaryImageKernel {
 @package
  float _thresholdValue;
  float _transform[3];
}
@property(readonly, nonatomic) float thresholdValue;
@property(readonly, nonatomic) const float* _Nonnull transform;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         thresholdValue:(float)thresholdValue
               linearGrayColorTransform:(const float* _Nullable)transform NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageTranspose : MPSUnaryImageKernel
@end

@interface MPSImageIntegral : MPSUnaryImageKernel
@end

@interface MPSImageIntegralOfSquares : MPSUnaryImageKernel
@end
