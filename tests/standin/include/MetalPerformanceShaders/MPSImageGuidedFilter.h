#pragma once
#import <MetalPerformanceShaders/MPSCore.h>

@interface MPSImageGuidedFilter : MPSKernel {
 @package
  NSUInteger _kernelDiameter;
  float _epsilon;
  float _reconstructScale;
  float _reconstructOffset;
}
@property(readonly, nonatomic) NSUInteger kernelDiameter;
@property(nonatomic) float epsilon;
@property(nonatomic) float reconstructScale;
@property(nonatomic) float reconstructOffset;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device kernelDiameter:(NSUInteger)kernelDiameter NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (void)encodeRegressionToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                          sourceTexture:(id<MTLTexture> _Nonnull)sourceTexture
                        guidanceTexture:(id<MTLTexture> _Nonnull)guidanceTexture
                         weightsTexture:(id<MTLTexture> _Nullable)weightsTexture
         destinationCoefficientsTexture:(id<MTLTexture> _Nonnull)destinationCoefficientsTexture;
- (void)encodeRegressionToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                          sourceTexture:(id<MTLTexture> _Nonnull)sourceTexture
                        guidanceTexture:(id<MTLTexture> _Nonnull)guidanceTexture
                         weightsTexture:(id<MTLTexture> _Nullable)weightsTexture
        destinationCoefficientsTextureA:(id<MTLTexture> _Nonnull)destinationCoefficientsTextureA
        destinationCoefficientsTextureB:(id<MTLTexture> _Nonnull)destinationCoefficientsTextureB
    __attribute__((availability(macos, introduced = 10.15.4)));
- (void)encodeReconstructionToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                            guidanceTexture:(id<MTLTexture> _Nonnull)guidanceTexture
                        coefficientsTexture:(id<MTLTexture> _Nonnull)coefficientsTexture
                         destinationTexture:(id<MTLTexture> _Nonnull)destinationTexture;
- (void)encodeReconstructionToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                            guidanceTexture:(id<MTLTexture> _Nonnull)guidanceTexture
                       coefficientsTextureA:(id<MTLTexture> _Nonnull)coefficientsTextureA
                       coefficientsTextureB:(id<MTLTexture> _Nonnull)coefficientsTextureB
                         destinationTexture:(id<MTLTexture> _Nonnull)destinationTexture
    __attribute__((availability(macos, introduced = 10.15.4)));
@end
