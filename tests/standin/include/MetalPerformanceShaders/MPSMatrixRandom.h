// Random matrices.
#pragma once
#import <MetalPerformanceShaders/MPSMatrixKernel.h>

#include <memory>
#include <random>

@class MPSMatrixRandomDistributionDescriptor, MPSMatrixRandom, MPSMatrixRandomMTGP32;

typedef NS_OPTIONS(NSUInteger, MPSMatrixRandomDistribution) {
  MPSMatrixRandomDistributionDefault = 1,
  MPSMatrixRandomDistributionUniform = 2,
  MPSMatrixRandomDistributionNormal API_AVAILABLE(macos(11.0)) = 3,
};

@interface MPSMatrixRandomDistributionDescriptor : NSObject <NSCopying> {
 @package
  MPSMatrixRandomDistribution _distributionType;
  float _maximum;
  float _mean;
  float _minimum;
  float _standardDeviation;
}
@property(nonatomic) MPSMatrixRandomDistribution distributionType;
@property(nonatomic) float maximum;
@property(nonatomic) float mean;
@property(nonatomic) float minimum;
@property(nonatomic) float standardDeviation;
+ (MPSMatrixRandomDistributionDescriptor* _Nonnull)defaultDistributionDescriptor;
+ (MPSMatrixRandomDistributionDescriptor* _Nonnull)normalDistributionDescriptorWithMean:(float)mean
                                                                      standardDeviation:(float)standardDeviation;
+ (MPSMatrixRandomDistributionDescriptor* _Nonnull)normalDistributionDescriptorWithMean:(float)mean
                                                                      standardDeviation:(float)standardDeviation
                                                                                minimum:(float)minimum
                                                                                maximum:(float)maximum;
+ (MPSMatrixRandomDistributionDescriptor* _Nonnull)uniformDistributionDescriptorWithMinimum:(float)minimum maximum:(float)maximum;
@end

@interface MPSMatrixRandom : MPSKernel {
 @package
  NSUInteger _batchSize;
  NSUInteger _batchStart;
  MPSDataType _destinationDataType;
  MPSMatrixRandomDistribution _distributionType;
}
@property(nonatomic) NSUInteger batchSize;
@property(nonatomic) NSUInteger batchStart;
@property(readonly, nonatomic) MPSDataType destinationDataType;
@property(readonly, nonatomic) MPSMatrixRandomDistribution distributionType;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer destinationMatrix:(MPSMatrix* _Nonnull)destinationMatrix;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer destinationVector:(MPSVector* _Nonnull)destinationVector;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
@end

@interface MPSMatrixRandomMTGP32 : MPSMatrixRandom {
 @package
  std::shared_ptr<std::mt19937> _state;
  MPSMatrixRandomDistributionDescriptor* _distribution;
}
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                    destinationDataType:(MPSDataType)destinationDataType
                                   seed:(NSUInteger)seed;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                    destinationDataType:(MPSDataType)destinationDataType
                                   seed:(NSUInteger)seed
                 distributionDescriptor:(MPSMatrixRandomDistributionDescriptor* _Nonnull)distributionDescriptor;
- (void)synchronizeStateOnCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer;
@end
