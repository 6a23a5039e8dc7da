// Alpha and colour spaces.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

typedef struct CGColorConversionInfo* CGColorConversionInfoRef;

@interface MPSImageConversion : MPSUnaryImageKernel {
 @package
  MPSAlphaType _destinationAlpha;
  MPSAlphaType _sourceAlpha;
  CGFloat _background[3];
}
@property(readonly, nonatomic) MPSAlphaType destinationAlpha;
@property(readonly, nonatomic) MPSAlphaType sourceAlpha;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                               srcAlpha:(MPSAlphaType)srcAlpha
                              destAlpha:(MPSAlphaType)destAlpha
                        backgroundColor:(CGFloat* _Nullable)backgroundColor
                         conversionInfo:(CGColorConversionInfoRef _Nullable)conversionInfo;
@end
