// Factorizations and the solvers that use them.
#pragma once
#import <MetalPerformanceShaders/MPSMatrixKernel.h>

@class MPSMatrixDecompositionLU, MPSMatrixDecompositionCholesky, MPSMatrixSolveTriangular, MPSMatrixSolveLU, MPSMatrixSolveCholesky;

typedef NS_ENUM(int, MPSMatrixDecompositionStatus) {
  MPSMatrixDecompositionStatusSuccess = 0,
  MPSMatrixDecompositionStatusFailure = -1,
  MPSMatrixDecompositionStatusSingular = -2,
  MPSMatrixDecompositionStatusNonPositiveDefinite = -3,
};

@interface MPSMatrixDecompositionLU : MPSMatrixUnaryKernel {
 @package
  NSUInteger _columns;
  NSUInteger _rows;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix
                 pivotIndices:(MPSMatrix* _Nonnull)pivotIndices
                       status:(id<MTLBuffer> _Nullable)status;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device rows:(NSUInteger)rows columns:(NSUInteger)columns;
@end

@interface MPSMatrixDecompositionCholesky : MPSMatrixUnaryKernel {
 @package
  BOOL _lower;
  NSUInteger _order;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix
                       status:(id<MTLBuffer> _Nullable)status;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device lower:(BOOL)lower order:(NSUInteger)order;
@end

@interface MPSMatrixSolveTriangular : MPSMatrixBinaryKernel {
 @package
  double _alpha;
  NSUInteger _numberOfRightHandSides;
  NSUInteger _order;
  BOOL _right;
  BOOL _transpose;
  BOOL _unit;
  BOOL _upper;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
          rightHandSideMatrix:(MPSMatrix* _Nonnull)rightHandSideMatrix
               solutionMatrix:(MPSMatrix* _Nonnull)solutionMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                  right:(BOOL)right
                                  upper:(BOOL)upper
                              transpose:(BOOL)transpose
                                   unit:(BOOL)unit
                                  order:(NSUInteger)order
                 numberOfRightHandSides:(NSUInteger)numberOfRightHandSides
                                  alpha:(double)alpha;
@end

@interface MPSMatrixSolveLU : MPSMatrixBinaryKernel {
 @package
  NSUInteger _numberOfRightHandSides;
  NSUInteger _order;
  BOOL _transpose;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
          rightHandSideMatrix:(MPSMatrix* _Nonnull)rightHandSideMatrix
                 pivotIndices:(MPSMatrix* _Nonnull)pivotIndices
               solutionMatrix:(MPSMatrix* _Nonnull)solutionMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                              transpose:(BOOL)transpose
                                  order:(NSUInteger)order
                 numberOfRightHandSides:(NSUInteger)numberOfRightHandSides;
@end

@interface MPSMatrixSolveCholesky : MPSMatrixBinaryKernel {
 @package
  NSUInteger _numberOfRightHandSides;
  NSUInteger _order;
  BOOL _upper;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                 sourceMatrix:(MPSMatrix* _Nonnull)sourceMatrix
          rightHandSideMatrix:(MPSMatrix* _Nonnull)rightHandSideMatrix
               solutionMatrix:(MPSMatrix* _Nonnull)solutionMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                  upper:(BOOL)upper
                                  order:(NSUInteger)order
                 numberOfRightHandSides:(NSUInteger)numberOfRightHandSides;
@end
