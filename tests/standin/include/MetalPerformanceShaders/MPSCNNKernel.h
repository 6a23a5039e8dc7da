// Convolutional network kernels.
#pragma once
#import <MetalPerformanceShaders/MPSImage.h>

#include <memory>
#include <vector>

@class MPSNNDefaultPadding, MPSCNNKernel, MPSNNNeuronDescriptor, MPSCNNNeuron, MPSCNNConvolutionDescriptor,
    MPSCNNDepthWiseConvolutionDescriptor, MPSCNNConvolution, MPSCNNPooling, MPSCNNPoolingMax, MPSCNNSoftMax;
@protocol MPSNNPadding
, MPSCNNConvolutionDataSource;

@protocol MPSNNPadding <NSObject, NSSecureCoding>
- (MPSNNPaddingMethod)paddingMethod;
@optional
- (MPSImageDescriptor* _Nonnull)destinationImageDescriptorForSourceImages:(NSArray<MPSImage*>* _Nonnull)sourceImages
                                                             sourceStates:(NSArray<MPSState*>* _Nullable)sourceStates
                                                                forKernel:(MPSKernel* _Nonnull)kernel
                                                      suggestedDescriptor:
                                                          (MPSImageDescriptor* _Nonnull)suggestedDescriptor;
- (instancetype _Nullable)inverse;
- (NSString* _Nonnull)label;
@end

@interface MPSNNDefaultPadding : NSObject <MPSNNPadding> {
 @package
  MPSNNPaddingMethod _method;
}
+ (instancetype _Nonnull)paddingWithMethod:(MPSNNPaddingMethod)method;
- (NSString* _Nonnull)label;
@end

@interface MPSCNNKernel : MPSKernel {
 @package
  MTLRegion _clipRect;
  NSUInteger _destinationFeatureChannelOffset;
  id<MPSImageAllocator> _destinationImageAllocator;
  NSUInteger _dilationRateX;
  NSUInteger _dilationRateY;
  MPSImageEdgeMode _edgeMode;
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
  MPSOffset _offset;
  id<MPSNNPadding> _padding;
  NSUInteger _sourceFeatureChannelMaxCount;
  NSUInteger _sourceFeatureChannelOffset;
  NSUInteger _strideInPixelsX;
  NSUInteger _strideInPixelsY;
}
@property(nonatomic) MTLRegion clipRect;
@property(nonatomic) NSUInteger destinationFeatureChannelOffset;
@property(nonatomic, retain) id<MPSImageAllocator> _Nonnull destinationImageAllocator;
@property(readonly, nonatomic) NSUInteger dilationRateX;
@property(readonly, nonatomic) NSUInteger dilationRateY;
@property(nonatomic) MPSImageEdgeMode edgeMode;
@property(readonly, nonatomic) BOOL isBackwards;
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
@property(nonatomic) MPSOffset offset;
@property(nonatomic, retain) id<MPSNNPadding> _Nonnull padding;
@property(nonatomic) NSUInteger sourceFeatureChannelMaxCount;
@property(nonatomic) NSUInteger sourceFeatureChannelOffset;
@property(readonly, nonatomic) NSUInteger strideInPixelsX;
@property(readonly, nonatomic) NSUInteger strideInPixelsY;
- (MPSImageDescriptor* _Nonnull)destinationImageDescriptorForSourceImages:(NSArray<MPSImage*>* _Nonnull)sourceImages
                                                             sourceStates:(NSArray<MPSState*>* _Nullable)sourceStates;
- (MPSImageBatch* _Nonnull)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                         sourceImages:(MPSImageBatch* _Nonnull)sourceImages;
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                      sourceImages:(MPSImageBatch* _Nonnull)sourceImages
                 destinationImages:(MPSImageBatch* _Nonnull)destinationImages;
- (MPSImage* _Nonnull)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                sourceImage:(MPSImage* _Nonnull)sourceImage;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  sourceImage:(MPSImage* _Nonnull)sourceImage
             destinationImage:(MPSImage* _Nonnull)destinationImage;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSNNNeuronDescriptor : NSObject <NSCopying, NSSecureCoding> {
 @package
  float _a;
  float _b;
  float _c;
  NSData* _data;
  MPSCNNNeuronType _neuronType;
}
@property(nonatomic) float a;
@property(nonatomic) float b;
@property(nonatomic) float c;
@property(nonatomic, retain) NSData* _Nullable data;
@property(nonatomic) MPSCNNNeuronType neuronType;
+ (MPSNNNeuronDescriptor* _Nonnull)cnnNeuronDescriptorWithType:(MPSCNNNeuronType)type a:(float)a b:(float)b c:(float)c;
+ (MPSNNNeuronDescriptor* _Nonnull)cnnNeuronPReLUDescriptorWithData:(NSData* _Nonnull)data noCopy:(bool)noCopy;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
@end

@interface MPSCNNNeuron : MPSCNNKernel {
 @package
  MPSNNNeuronDescriptor* _descriptor;
}
@property(readonly, nonatomic) MPSCNNNeuronType neuronType;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                       neuronDescriptor:(MPSNNNeuronDescriptor* _Nonnull)neuronDescriptor NS_DESIGNATED_INITIALIZER;
@end

@interface MPSCNNConvolutionDescriptor : NSObject <NSCopying, NSSecureCoding> {
 @package
  NSUInteger _dilationRateX;
  NSUInteger _dilationRateY;
  MPSNNNeuronDescriptor* _fusedNeuronDescriptor;
  NSUInteger _groups;
  NSUInteger _inputFeatureChannels;
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
  NSUInteger _outputFeatureChannels;
  NSUInteger _strideInPixelsX;
  NSUInteger _strideInPixelsY;
  std::vector<float> _scale;  // of batch normalization, one an output channel; empty: none
  std::vector<float> _shift;
}
@property(nonatomic) NSUInteger dilationRateX;
@property(nonatomic) NSUInteger dilationRateY;
@property(nonatomic, retain) MPSNNNeuronDescriptor* _Nonnull fusedNeuronDescriptor;
@property(nonatomic) NSUInteger groups;
@property(nonatomic) NSUInteger inputFeatureChannels;
@property(nonatomic) NSUInteger kernelHeight;
@property(nonatomic) NSUInteger kernelWidth;
@property(nonatomic) NSUInteger outputFeatureChannels;
@property(nonatomic) NSUInteger strideInPixelsX;
@property(nonatomic) NSUInteger strideInPixelsY;
@property(readonly, nonatomic, class) BOOL supportsSecureCoding;
+ (instancetype _Nonnull)cnnConvolutionDescriptorWithKernelWidth:(NSUInteger)kernelWidth
                                                    kernelHeight:(NSUInteger)kernelHeight
                                            inputFeatureChannels:(NSUInteger)inputFeatureChannels
                                           outputFeatureChannels:(NSUInteger)outputFeatureChannels;
- (void)encodeWithCoder:(NSCoder* _Nonnull)coder;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder NS_DESIGNATED_INITIALIZER;
- (void)setBatchNormalizationParametersForInferenceWithMean:(const float* _Nullable)mean
                                                   variance:(const float* _Nullable)variance
                                                      gamma:(const float* _Nullable)gamma
                                                       beta:(const float* _Nullable)beta
                                                    epsilon:(const float)epsilon;
@end

@interface MPSCNNDepthWiseConvolutionDescriptor : MPSCNNConvolutionDescriptor
@property(readonly, nonatomic) NSUInteger channelMultiplier;
@end

@protocol MPSCNNConvolutionDataSource <NSCopying, NSObject>
- (float* _Nullable)biasTerms;
- (MPSDataType)dataType;
- (MPSCNNConvolutionDescriptor* _Nonnull)descriptor;
- (NSString* _Nullable)label;
- (BOOL)load;
- (void)purge;
- (void* _Nonnull)weights;
@optional
- (instancetype _Nonnull)copyWithZone:(NSZone* _Nullable)zone device:(id<MTLDevice> _Nullable)device;
- (MPSDataType)kernelWeightsDataType;
- (float* _Nonnull)lookupTableForUInt8Kernel;
- (vector_float2* _Nonnull)rangesForUInt8Kernel;
- (MPSCNNConvolutionWeightsLayout)weightsLayout;
- (MPSCNNWeightsQuantizationType)weightsQuantizationType;
@end

namespace standin {
struct ConvolutionWeights;
}

@interface MPSCNNConvolution : MPSCNNKernel {
 @package
  MPSNNConvolutionAccumulatorPrecisionOption _accumulatorPrecisionOption;
  id<MPSCNNConvolutionDataSource> _dataSource;
  std::shared_ptr<const standin::ConvolutionWeights> _weights;
}
@property(nonatomic) MPSNNConvolutionAccumulatorPrecisionOption accumulatorPrecisionOption;
@property(readonly, nonatomic) NSUInteger channelMultiplier;
@property(readonly, nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nonnull dataSource;
@property(readonly, nonatomic) NSUInteger groups;
@property(readonly, nonatomic) NSUInteger inputFeatureChannels;
@property(readonly, nonatomic) NSUInteger outputFeatureChannels;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights NS_DESIGNATED_INITIALIZER;
- (void)reloadWeightsAndBiasesFromDataSource;
@end

@interface MPSCNNPooling : MPSCNNKernel
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                        strideInPixelsX:(NSUInteger)strideInPixelsX
                        strideInPixelsY:(NSUInteger)strideInPixelsY NS_DESIGNATED_INITIALIZER;
@end

@interface MPSCNNPoolingMax : MPSCNNPooling
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                        strideInPixelsX:(NSUInteger)strideInPixelsX
                        strideInPixelsY:(NSUInteger)strideInPixelsY NS_DESIGNATED_INITIALIZER;
@end

@interface MPSCNNSoftMax : MPSCNNKernel
@end
