// Line segments.
#pragma once
#import <MetalPerformanceShaders/MPSCore.h>

@interface MPSImageEDLines : MPSKernel {
 @package
  MTLRegion _clipRectSource;
  float _gaussianSigma;
  unsigned short _minLineLength;
  NSUInteger _maxLines;
  unsigned short _detailRatio;
  float _gradientThreshold;
  float _lineErrorThreshold;
  float _mergeLocalityThreshold;
}
@property(nonatomic) MTLRegion clipRectSource;
@property(readonly, nonatomic) float gaussianSigma;
@property(nonatomic) unsigned short minLineLength;
@property(nonatomic) NSUInteger maxLines;
@property(nonatomic) unsigned short detailRatio;
@property(nonatomic) float gradientThreshold;
@property(nonatomic) float lineErrorThreshold;
@property(nonatomic) float mergeLocalityThreshold;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                sourceTexture:(id<MTLTexture> _Nonnull)source
           destinationTexture:(id<MTLTexture> _Nullable)dest
               endpointBuffer:(id<MTLBuffer> _Nonnull)endpointBuffer
               endpointOffset:(NSUInteger)endpointOffset;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          gaussianSigma:(const float)gaussianSigma
                          minLineLength:(const unsigned short)minLineLength
                               maxLines:(const NSUInteger)maxLines
                            detailRatio:(const unsigned short)detailRatio
                      gradientThreshold:(const float)gradientThreshold
                     lineErrorThreshold:(const float)lineErrorThreshold
                 mergeLocalityThreshold:(const float)mergeLocalityThreshold NS_DESIGNATED_INITIALIZER;
@end
