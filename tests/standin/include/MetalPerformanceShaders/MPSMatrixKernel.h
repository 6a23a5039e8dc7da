// Matrix kernels.
#pragma once
#import <MetalPerformanceShaders/MPSMatrix.h>

@class MPSMatrixMultiplication, MPSMatrixUnaryKernel, MPSMatrixBinaryKernel, MPSMatrixVectorMultiplication;

@interface MPSMatrixMultiplication : MPSKernel {
 @package
  double _alpha;
  double _beta;
  NSUInteger _interiorColumns;
  NSUInteger _resultColumns;
  NSUInteger _resultRows;
  BOOL _transposeLeft;
  BOOL _transposeRight;
  NSUInteger _batchSize;
  NSUInteger _batchStart;
  MTLOrigin _leftMatrixOrigin;
  MTLOrigin _resultMatrixOrigin;
  MTLOrigin _rightMatrixOrigin;
}
@property(nonatomic) NSUInteger batchSize;
@property(nonatomic) NSUInteger batchStart;
@property(nonatomic) MTLOrigin leftMatrixOrigin;
@property(nonatomic) MTLOrigin resultMatrixOrigin;
@property(nonatomic) MTLOrigin rightMatrixOrigin;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                   leftMatrix:(MPSMatrix* _Nonnull)leftMatrix
                  rightMatrix:(MPSMatrix* _Nonnull)rightMatrix
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                             resultRows:(NSUInteger)resultRows
                          resultColumns:(NSUInteger)resultColumns
                        interiorColumns:(NSUInteger)interiorColumns;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          transposeLeft:(BOOL)transposeLeft
                         transposeRight:(BOOL)transposeRight
                             resultRows:(NSUInteger)resultRows
                          resultColumns:(NSUInteger)resultColumns
                        interiorColumns:(NSUInteger)interiorColumns
                                  alpha:(double)alpha
                                   beta:(double)beta;
@end

@interface MPSMatrixUnaryKernel : MPSKernel {
 @package
  NSUInteger _batchSize;
  NSUInteger _batchStart;
  MTLOrigin _resultMatrixOrigin;
  MTLOrigin _sourceMatrixOrigin;
}
@property(nonatomic) NSUInteger batchSize;
@property(nonatomic) NSUInteger batchStart;
@property(nonatomic) MTLOrigin resultMatrixOrigin;
@property(nonatomic) MTLOrigin sourceMatrixOrigin;
@end

@interface MPSMatrixBinaryKernel : MPSKernel {
 @package
  NSUInteger _batchSize;
  NSUInteger _batchStart;
  MTLOrigin _primarySourceMatrixOrigin;
  MTLOrigin _resultMatrixOrigin;
  MTLOrigin _secondarySourceMatrixOrigin;
}
@property(nonatomic) NSUInteger batchSize;
@property(nonatomic) NSUInteger batchStart;
@property(nonatomic) MTLOrigin primarySourceMatrixOrigin;
@property(nonatomic) MTLOrigin resultMatrixOrigin;
@property(nonatomic) MTLOrigin secondarySourceMatrixOrigin;
@end

@interface MPSMatrixVectorMultiplication : MPSMatrixBinaryKernel {
 @package
  double _alpha;
  double _beta;
  NSUInteger _columns;
  NSUInteger _rows;
  BOOL _transpose;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                  inputVector:(MPSVector* _Nonnull)inputVector
                 resultVector:(MPSVector* _Nonnull)resultVector;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                   rows:(NSUInteger)rows
                                columns:(NSUInteger)columns;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                              transpose:(BOOL)transpose
                                   rows:(NSUInteger)rows
                                columns:(NSUInteger)columns
                                  alpha:(double)alpha
                                   beta:(double)beta;
@end
