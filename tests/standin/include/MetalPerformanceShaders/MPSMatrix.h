// Matrices and vectors.
#pragma once
#import <MetalPerformanceShaders/MPSCore.h>

namespace standin {
struct MatrixState;
struct VectorState;
}
@class MPSMatrixDescriptor, MPSMatrix, MPSTemporaryMatrix, MPSVectorDescriptor, MPSVector, MPSTemporaryVector;

@interface MPSMatrixDescriptor : NSObject {
 @package
  NSUInteger _columns;
  MPSDataType _dataType;
  NSUInteger _matrices;
  NSUInteger _matrixBytes;
  NSUInteger _rowBytes;
  NSUInteger _rows;
}
@property(nonatomic) NSUInteger columns;
@property(nonatomic) MPSDataType dataType;
@property(readonly, nonatomic) NSUInteger matrices;
@property(readonly, nonatomic) NSUInteger matrixBytes;
@property(nonatomic) NSUInteger rowBytes;
@property(nonatomic) NSUInteger rows;
+ (instancetype _Nonnull)matrixDescriptorWithRows:(NSUInteger)rows
                                          columns:(NSUInteger)columns
                                         matrices:(NSUInteger)matrices
                                         rowBytes:(NSUInteger)rowBytes
                                      matrixBytes:(NSUInteger)matrixBytes
                                         dataType:(MPSDataType)dataType;
+ (instancetype _Nonnull)matrixDescriptorWithRows:(NSUInteger)rows
                                          columns:(NSUInteger)columns
                                         rowBytes:(NSUInteger)rowBytes
                                         dataType:(MPSDataType)dataType;
+ (size_t)rowBytesForColumns:(NSUInteger)columns dataType:(MPSDataType)dataType;
@end

@interface MPSMatrix : NSObject {
 @package
  standin::MatrixState* _state;
}
@property(readonly, nonatomic) NSUInteger columns;
@property(readonly, nonatomic) id<MTLBuffer> _Nonnull data;
@property(readonly, nonatomic) MPSDataType dataType;
@property(readonly, nonatomic, retain) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) NSUInteger matrices;
@property(readonly, nonatomic) NSUInteger matrixBytes;
@property(readonly, nonatomic) NSUInteger offset;
@property(readonly, nonatomic) NSUInteger rowBytes;
@property(readonly, nonatomic) NSUInteger rows;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                             descriptor:(MPSMatrixDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                                 offset:(NSUInteger)offset
                             descriptor:(MPSMatrixDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                             descriptor:(MPSMatrixDescriptor* _Nonnull)descriptor;
- (NSUInteger)resourceSize;
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer> _Nonnull)onCommandBuffer;
@end

@interface MPSTemporaryMatrix : MPSMatrix
@property(nonatomic) NSUInteger readCount;
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                    matrixDescriptorList:(NSArray<MPSMatrixDescriptor*>* _Nonnull)matrixDescriptorList;
+ (instancetype _Nonnull)temporaryMatrixWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                         matrixDescriptor:(MPSMatrixDescriptor* _Nonnull)matrixDescriptor;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                             descriptor:(MPSMatrixDescriptor* _Nonnull)descriptor NS_UNAVAILABLE;
@end

@interface MPSVectorDescriptor : NSObject {
 @package
  MPSDataType _dataType;
  NSUInteger _length;
  NSUInteger _vectorBytes;
  NSUInteger _vectors;
}
@property(nonatomic) MPSDataType dataType;
@property(nonatomic) NSUInteger length;
@property(readonly, nonatomic) NSUInteger vectorBytes;
@property(readonly, nonatomic) NSUInteger vectors;
+ (size_t)vectorBytesForLength:(NSUInteger)length dataType:(MPSDataType)dataType;
+ (instancetype _Nonnull)vectorDescriptorWithLength:(NSUInteger)length dataType:(MPSDataType)dataType;
+ (instancetype _Nonnull)vectorDescriptorWithLength:(NSUInteger)length
                                            vectors:(NSUInteger)vectors
                                        vectorBytes:(NSUInteger)vectorBytes
                                           dataType:(MPSDataType)dataType;
@end

@interface MPSVector : NSObject {
 @package
  standin::VectorState* _state;
}
@property(readonly, nonatomic) id<MTLBuffer> _Nonnull data;
@property(readonly, nonatomic) MPSDataType dataType;
@property(readonly, nonatomic, retain) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) NSUInteger length;
@property(readonly, nonatomic) NSUInteger offset;
@property(readonly, nonatomic) NSUInteger vectorBytes;
@property(readonly, nonatomic) NSUInteger vectors;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                             descriptor:(MPSVectorDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                                 offset:(NSUInteger)offset
                             descriptor:(MPSVectorDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                             descriptor:(MPSVectorDescriptor* _Nonnull)descriptor;
- (NSUInteger)resourceSize;
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer> _Nonnull)onCommandBuffer;
@end

@interface MPSTemporaryVector : MPSVector
@property(nonatomic) NSUInteger readCount;
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                          descriptorList:(NSArray<MPSVectorDescriptor*>* _Nonnull)descriptorList;
+ (instancetype _Nonnull)temporaryVectorWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                               descriptor:(MPSVectorDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)initWithBuffer:(id<MTLBuffer> _Nonnull)buffer
                             descriptor:(MPSVectorDescriptor* _Nonnull)descriptor NS_UNAVAILABLE;
@end
