// Histograms, and what gives pictures others.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

typedef float vector_float4 __attribute__((ext_vector_type(4)));

typedef struct {
  NSUInteger numberOfHistogramEntries;
  BOOL histogramForAlpha;
  vector_float4 minPixelValue;
  vector_float4 maxPixelValue;
} MPSImageHistogramInfo;

@interface MPSImageHistogram : MPSKernel {
 @package
  MTLRegion _clipRectSource;
  MPSImageHistogramInfo _histogramInfo;
  vector_float4 _minPixelThresholdValue;
  BOOL _zeroHistogram;
}
@property(nonatomic) MTLRegion clipRectSource;
@property(readonly, nonatomic) MPSImageHistogramInfo histogramInfo;
@property(nonatomic) vector_float4 minPixelThresholdValue;
@property(nonatomic) BOOL zeroHistogram;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                sourceTexture:(id<MTLTexture> _Nonnull)source
                    histogram:(id<MTLBuffer> _Nonnull)histogram
              histogramOffset:(NSUInteger)histogramOffset;
- (size_t)histogramSizeForSourceFormat:(MTLPixelFormat)sourceFormat;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          histogramInfo:(const MPSImageHistogramInfo* _Nonnull)histogramInfo NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageNormalizedHistogram : MPSKernel {
 @package
  MTLRegion _clipRectSource;
  MPSImageHistogramInfo _histogramInfo;
  BOOL _zeroHistogram;
}
@property(nonatomic) MTLRegion clipRectSource;
@property(readonly, nonatomic) MPSImageHistogramInfo histogramInfo;
@property(nonatomic) BOOL zeroHistogram;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                sourceTexture:(id<MTLTexture> _Nonnull)source
                minmaxTexture:(id<MTLTexture> _Nonnull)minmaxTexture
                    histogram:(id<MTLBuffer> _Nonnull)histogram
              histogramOffset:(NSUInteger)histogramOffset;
- (size_t)histogramSizeForSourceFormat:(MTLPixelFormat)sourceFormat;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          histogramInfo:(const MPSImageHistogramInfo* _Nonnull)histogramInfo NS_DESIGNATED_INITIALIZER;
@end

namespace standin {
struct Transform;
}

@interface MPSImageHistogramEqualization : MPSUnaryImageKernel {
 @package
  MPSImageHistogramInfo _histogramInfo;
  standin::Transform* _transform;
}
@property(readonly, nonatomic) MPSImageHistogramInfo histogramInfo;
- (void)encodeTransformToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                         sourceTexture:(id<MTLTexture> _Nonnull)source
                             histogram:(id<MTLBuffer> _Nonnull)histogram
                       histogramOffset:(NSUInteger)histogramOffset;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          histogramInfo:(const MPSImageHistogramInfo* _Nonnull)histogramInfo NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageHistogramSpecification : MPSUnaryImageKernel {
 @package
  MPSImageHistogramInfo _histogramInfo;
  standin::Transform* _transform;
}
@property(readonly, nonatomic) MPSImageHistogramInfo histogramInfo;
- (void)encodeTransformToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                         sourceTexture:(id<MTLTexture> _Nonnull)source
                       sourceHistogram:(id<MTLBuffer> _Nonnull)sourceHistogram
                 sourceHistogramOffset:(NSUInteger)sourceHistogramOffset
                      desiredHistogram:(id<MTLBuffer> _Nonnull)desiredHistogram
                desiredHistogramOffset:(NSUInteger)desiredHistogramOffset;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          histogramInfo:(const MPSImageHistogramInfo* _Nonnull)histogramInfo NS_DESIGNATED_INITIALIZER;
@end
