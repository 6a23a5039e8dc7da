// Alpha and colour spaces.
#pragma once
#import <CoreGraphics/CoreGraphics.h>
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImageConversion : MPSUnaryImageKernel {
 @package
  MPSAlphaType _destinationAlpha;
  MPSAlphaType _sourceAlpha;
  CGFloat _background[3];
  CGColorConversionInfoRef _info;  // not retained: whether Apple's class does is not told
}
@property(readonly, nonatomic) MPSAlphaType destinationAlpha;
@property(readonly, nonatomic) MPSAlphaType sourceAlpha;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                               srcAlpha:(MPSAlphaType)srcAlpha
                              destAlpha:(MPSAlphaType)destAlpha
                        backgroundColor:(CGFloat* _Nullable)backgroundColor
                         conversionInfo:(CGColorConversionInfoRef _Nullable)conversionInfo;
@end
