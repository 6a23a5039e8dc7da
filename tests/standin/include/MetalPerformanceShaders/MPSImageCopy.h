// Pictures as rows of matrices.
#pragma once
#import <MetalPerformanceShaders/MPSImage.h>
#import <MetalPerformanceShaders/MPSMatrix.h>

@interface MPSImageCopyToMatrix : MPSKernel {
 @package
  MPSDataLayout _dataLayout;
  NSUInteger _destinationMatrixBatchIndex;
  MTLOrigin _destinationMatrixOrigin;
}
@property(readonly, nonatomic) MPSDataLayout dataLayout;
@property(nonatomic) NSUInteger destinationMatrixBatchIndex;
@property(nonatomic) MTLOrigin destinationMatrixOrigin;
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                      sourceImages:(MPSImageBatch* _Nonnull)sourceImages
                 destinationMatrix:(MPSMatrix* _Nonnull)destinationMatrix;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  sourceImage:(MPSImage* _Nonnull)sourceImage
            destinationMatrix:(MPSMatrix* _Nonnull)destinationMatrix;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device dataLayout:(MPSDataLayout)dataLayout NS_DESIGNATED_INITIALIZER;
@end

@interface MPSMatrixCopyToImage : MPSKernel {
 @package
  MPSDataLayout _dataLayout;
  NSUInteger _sourceMatrixBatchIndex;
  MTLOrigin _sourceMatrixOrigin;
}
@property(readonly, nonatomic) MPSDataLayout dataLayout;
@property(nonatomic) NSUInteger sourceMatrixBatchIndex;
@property(nonatomic) MTLOrigin sourceMatrixOrigin;
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                      sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
                 destinationImages:(MPSImageBatch* _Nonnull)destinationImages;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
             destinationImage:(MPSImage* _Nonnull)destinationImage;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device dataLayout:(MPSDataLayout)dataLayout NS_DESIGNATED_INITIALIZER;
@end
