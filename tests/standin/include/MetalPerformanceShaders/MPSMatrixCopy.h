// Copies of blocks between matrices.
#pragma once
#import <MetalPerformanceShaders/MPSMatrixKernel.h>

@class MPSMatrixCopyDescriptor, MPSMatrixCopy;

typedef struct {
  uint32_t sourceRowOffset;
  uint32_t sourceColumnOffset;
  uint32_t destinationRowOffset;
  uint32_t destinationColumnOffset;
} MPSMatrixCopyOffsets;

@interface MPSMatrixCopyDescriptor : NSObject {
 @package
  id<MTLDevice> _device;
  NSMutableArray<MPSMatrix*>* _sources;
  NSMutableArray<MPSMatrix*>* _destinations;
  NSMutableData* _offsets;
}
+ (instancetype _Nonnull)descriptorWithSourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
                                  destinationMatrix:(MPSMatrix* _Nonnull)destinationMatrix
                                            offsets:(MPSMatrixCopyOffsets)offsets;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device count:(NSUInteger)count;
- (instancetype _Nonnull)initWithSourceMatrices:(NSArray<MPSMatrix*>* _Nonnull)sourceMatrices
                            destinationMatrices:(NSArray<MPSMatrix*>* _Nonnull)destinationMatrices
                                   offsetVector:(MPSVector* _Nullable)offsetVector
                                         offset:(NSUInteger)offset;
- (void)setCopyOperationAtIndex:(NSUInteger)index
                   sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
              destinationMatrix:(MPSMatrix* _Nonnull)destinationMatrix
                        offsets:(MPSMatrixCopyOffsets)offsets;
@end

@interface MPSMatrixCopy : MPSKernel {
 @package
  NSUInteger _copyColumns;
  NSUInteger _copyRows;
  BOOL _destinationsAreTransposed;
  BOOL _sourcesAreTransposed;
}
@property(readonly, nonatomic) NSUInteger copyColumns;
@property(readonly, nonatomic) NSUInteger copyRows;
@property(readonly, nonatomic) BOOL destinationsAreTransposed;
@property(readonly, nonatomic) BOOL sourcesAreTransposed;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer copyDescriptor:(MPSMatrixCopyDescriptor* _Nonnull)copyDescriptor;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               copyDescriptor:(MPSMatrixCopyDescriptor* _Nonnull)copyDescriptor
            rowPermuteIndices:(MPSVector* _Nullable)rowPermuteIndices
             rowPermuteOffset:(NSUInteger)rowPermuteOffset
         columnPermuteIndices:(MPSVector* _Nullable)columnPermuteIndices
          columnPermuteOffset:(NSUInteger)columnPermuteOffset;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                               copyRows:(NSUInteger)copyRows
                            copyColumns:(NSUInteger)copyColumns
                   sourcesAreTransposed:(BOOL)sourcesAreTransposed
              destinationsAreTransposed:(BOOL)destinationsAreTransposed;
@end
