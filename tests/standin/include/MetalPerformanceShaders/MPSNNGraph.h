// Graph nodes and the graph.
#pragma once
#import <MetalPerformanceShaders/MPSCNNKernel.h>

@class MPSNNImageNode, MPSNNStateNode, MPSNNFilterNode, MPSCNNConvolutionNode, MPSCNNFullyConnectedNode,
    MPSCNNPoolingNode, MPSCNNPoolingMaxNode, MPSCNNPoolingAverageNode, MPSCNNPoolingL2NormNode, MPSCNNSoftMaxNode,
    MPSCNNLogSoftMaxNode, MPSCNNNeuronNode, MPSCNNNeuronReLUNode, MPSCNNNeuronSigmoidNode, MPSCNNNeuronTanHNode,
    MPSCNNNeuronLinearNode, MPSCNNNeuronAbsoluteNode, MPSCNNNeuronELUNode, MPSCNNNeuronReLUNNode,
    MPSCNNNeuronHardSigmoidNode, MPSCNNNeuronSoftPlusNode, MPSCNNNeuronSoftSignNode, MPSCNNNeuronPReLUNode,
    MPSCNNNeuronPowerNode, MPSCNNNeuronExponentialNode, MPSCNNNeuronLogarithmNode, MPSCNNNeuronGeLUNode,
    MPSNNConcatenationNode, MPSNNBinaryArithmeticNode, MPSNNAdditionNode, MPSNNSubtractionNode, MPSNNMultiplicationNode,
    MPSNNDivisionNode, MPSNNScaleNode, MPSNNLanczosScaleNode, MPSNNBilinearScaleNode, MPSNNGraph;
@protocol MPSHandle
, MPSImageTransformProvider, MPSNNTrainableNode;

@protocol MPSHandle <NSObject, NSSecureCoding>
- (NSString* _Nullable)label;
@end

@protocol MPSImageTransformProvider <NSObject, NSSecureCoding>
- (MPSScaleTransform)transformForSourceImage:(MPSImage* _Nonnull)sourceImage handle:(id<MPSHandle> _Nullable)handle;
@end

@protocol MPSNNTrainableNode <NSObject>
@property(nonatomic) MPSNNTrainingStyle trainingStyle;
@end

@interface MPSNNImageNode : NSObject {
 @package
  BOOL _exportFromGraph;
  MPSImageFeatureChannelFormat _format;
  id<MPSHandle> _handle;
  id<MPSImageAllocator> _imageAllocator;
  BOOL _stopGradient;
  BOOL _synchronizeResource;
}
@property(nonatomic) BOOL exportFromGraph;
@property(nonatomic) MPSImageFeatureChannelFormat format;
@property(nonatomic, retain) id<MPSHandle> _Nullable handle;
@property(nonatomic, retain) id<MPSImageAllocator> _Nonnull imageAllocator;
@property(nonatomic) BOOL stopGradient;
@property(nonatomic) BOOL synchronizeResource;
+ (instancetype _Nonnull)exportedNodeWithHandle:(NSObject<MPSHandle>* _Nullable)handle;
+ (instancetype _Nonnull)nodeWithHandle:(NSObject<MPSHandle>* _Nullable)handle;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithHandle:(NSObject<MPSHandle>* _Nullable)handle NS_DESIGNATED_INITIALIZER;
@end

@interface MPSNNStateNode : NSObject {
 @package
  BOOL _exportFromGraph;
  id<MPSHandle> _handle;
  BOOL _synchronizeResource;
}
@property(nonatomic) BOOL exportFromGraph;
@property(nonatomic, retain) id<MPSHandle> _Nullable handle;
@property(nonatomic) BOOL synchronizeResource;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
@end

@interface MPSNNFilterNode : NSObject
@property(nonatomic, copy) NSString* _Nullable label;
@property(nonatomic, retain) id<MPSNNPadding> _Nonnull paddingPolicy;
@property(readonly, nonatomic) MPSNNImageNode* _Nonnull resultImage;
@property(readonly, nonatomic) MPSNNStateNode* _Nullable resultState;
@property(readonly, nonatomic) NSArray<MPSNNStateNode*>* _Nullable resultStates;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
@end

@interface MPSCNNConvolutionNode : MPSNNFilterNode <MPSNNTrainableNode>
@property(nonatomic) MPSNNConvolutionAccumulatorPrecisionOption accumulatorPrecision;
@property(nonatomic) MPSNNTrainingStyle trainingStyle;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
@end

@interface MPSCNNFullyConnectedNode : MPSCNNConvolutionNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
@end

@interface MPSCNNPoolingNode : MPSNNFilterNode
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
@property(readonly, nonatomic) NSUInteger strideInPixelsX;
@property(readonly, nonatomic) NSUInteger strideInPixelsY;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source filterSize:(NSUInteger)filterSize;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                             filterSize:(NSUInteger)filterSize
                                 stride:(NSUInteger)stride;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source filterSize:(NSUInteger)filterSize;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                             filterSize:(NSUInteger)filterSize
                                 stride:(NSUInteger)stride;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                        strideInPixelsX:(NSUInteger)strideInPixelsX
                        strideInPixelsY:(NSUInteger)strideInPixelsY;
@end

@interface MPSCNNPoolingMaxNode : MPSCNNPoolingNode
@end

@interface MPSCNNPoolingAverageNode : MPSCNNPoolingNode
@end

@interface MPSCNNPoolingL2NormNode : MPSCNNPoolingNode
@end

@interface MPSCNNSoftMaxNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSCNNLogSoftMaxNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSCNNNeuronNode : MPSNNFilterNode
@property(readonly, nonatomic) float a;
@property(readonly, nonatomic) float b;
@property(readonly, nonatomic) float c;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                             descriptor:(MPSNNNeuronDescriptor* _Nonnull)descriptor;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
@end

@interface MPSCNNNeuronReLUNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a;
@end

@interface MPSCNNNeuronSigmoidNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSCNNNeuronTanHNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
@end

@interface MPSCNNNeuronLinearNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
@end

@interface MPSCNNNeuronAbsoluteNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSCNNNeuronELUNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a;
@end

@interface MPSCNNNeuronReLUNNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
@end

@interface MPSCNNNeuronHardSigmoidNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
@end

@interface MPSCNNNeuronSoftPlusNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b;
@end

@interface MPSCNNNeuronSoftSignNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSCNNNeuronPReLUNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source NS_UNAVAILABLE;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source aData:(NSData* _Nonnull)aData;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source aData:(NSData* _Nonnull)aData;
@end

@interface MPSCNNNeuronPowerNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
@end

@interface MPSCNNNeuronExponentialNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
@end

@interface MPSCNNNeuronLogarithmNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source a:(float)a b:(float)b c:(float)c;
@end

@interface MPSCNNNeuronGeLUNode : MPSCNNNeuronNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSNNConcatenationNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
- (instancetype _Nonnull)initWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
@end

@interface MPSNNBinaryArithmeticNode : MPSNNFilterNode
@property(nonatomic) float bias;
@property(nonatomic) float maximumValue;
@property(nonatomic) float minimumValue;
@property(nonatomic) float primaryScale;
@property(nonatomic) NSUInteger primaryStrideInFeatureChannels;
@property(nonatomic) NSUInteger primaryStrideInPixelsX;
@property(nonatomic) NSUInteger primaryStrideInPixelsY;
@property(nonatomic) float secondaryScale;
@property(nonatomic) NSUInteger secondaryStrideInFeatureChannels;
@property(nonatomic) NSUInteger secondaryStrideInPixelsX;
@property(nonatomic) NSUInteger secondaryStrideInPixelsY;
+ (instancetype _Nonnull)nodeWithLeftSource:(MPSNNImageNode* _Nonnull)leftSource
                                rightSource:(MPSNNImageNode* _Nonnull)rightSource;
+ (instancetype _Nonnull)nodeWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
- (instancetype _Nonnull)initWithLeftSource:(MPSNNImageNode* _Nonnull)leftSource
                                rightSource:(MPSNNImageNode* _Nonnull)rightSource;
- (instancetype _Nonnull)initWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
@end

@interface MPSNNAdditionNode : MPSNNBinaryArithmeticNode
@end

@interface MPSNNSubtractionNode : MPSNNBinaryArithmeticNode
@end

@interface MPSNNMultiplicationNode : MPSNNBinaryArithmeticNode
@end

@interface MPSNNDivisionNode : MPSNNBinaryArithmeticNode
@end

@interface MPSNNScaleNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source outputSize:(MTLSize)outputSize;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                      transformProvider:(id<MPSImageTransformProvider> _Nullable)transformProvider
                             outputSize:(MTLSize)outputSize;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source outputSize:(MTLSize)outputSize;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                      transformProvider:(id<MPSImageTransformProvider> _Nullable)transformProvider
                             outputSize:(MTLSize)outputSize;
@end

@interface MPSNNLanczosScaleNode : MPSNNScaleNode
@end

@interface MPSNNBilinearScaleNode : MPSNNScaleNode
@end

@interface MPSNNGraph : MPSKernel <NSCopying, NSSecureCoding>
@property(nonatomic, retain) id<MPSImageAllocator> _Nonnull destinationImageAllocator;
@property(nonatomic) MPSImageFeatureChannelFormat format;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nullable intermediateImageHandles;
@property(nonatomic) BOOL outputStateIsTemporary;
@property(readonly, nonatomic) id<MPSHandle> _Nullable resultHandle;
@property(readonly, nonatomic) BOOL resultImageIsNeeded;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nullable resultStateHandles;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nonnull sourceImageHandles;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nullable sourceStateHandles;
+ (instancetype _Nullable)graphWithDevice:(id<MTLDevice> _Nonnull)device
                              resultImage:(MPSNNImageNode* _Nonnull)resultImage
    __attribute__((availability(macos, deprecated = 10.13.4)));
+ (instancetype _Nullable)graphWithDevice:(id<MTLDevice> _Nonnull)device
                              resultImage:(MPSNNImageNode* _Nonnull)resultImage
                      resultImageIsNeeded:(BOOL)resultImageIsNeeded;
+ (instancetype _Nullable)graphWithDevice:(id<MTLDevice> _Nonnull)device
                             resultImages:(NSArray<MPSNNImageNode*>* _Nonnull)resultImages
                         resultsAreNeeded:(BOOL* _Nullable)resultsAreNeeded;
- (MPSImageBatch* _Nullable)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                          sourceImages:(NSArray<MPSImageBatch*>* _Nonnull)sourceImages
                                          sourceStates:(NSArray<MPSStateBatch*>* _Nullable)sourceStates;
- (MPSImageBatch* _Nullable)encodeBatchToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                          sourceImages:(NSArray<MPSImageBatch*>* _Nonnull)sourceImages
                                          sourceStates:(NSArray<MPSStateBatch*>* _Nullable)sourceStates
                                    intermediateImages:(NSMutableArray<MPSImageBatch*>* _Nullable)intermediateImages
                                     destinationStates:(NSMutableArray<MPSStateBatch*>* _Nullable)destinationStates;
- (MPSImage* _Nullable)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                sourceImages:(NSArray<MPSImage*>* _Nonnull)sourceImages;
- (MPSImage* _Nullable)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                sourceImages:(NSArray<MPSImage*>* _Nonnull)sourceImages
                                sourceStates:(NSArray<MPSState*>* _Nullable)sourceStates
                          intermediateImages:(NSMutableArray<MPSImage*>* _Nullable)intermediateImages
                           destinationStates:(NSMutableArray<MPSState*>* _Nullable)destinationStates;
- (MPSImage* _Nonnull)executeAsyncWithSourceImages:(NSArray<MPSImage*>* _Nonnull)sourceImages
                                 completionHandler:(MPSNNGraphCompletionHandler _Nonnull)completionHandler;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nullable)initWithDevice:(id<MTLDevice> _Nonnull)device
                             resultImage:(MPSNNImageNode* _Nonnull)resultImage
    __attribute__((availability(macos, deprecated = 10.13.4)));
- (instancetype _Nullable)initWithDevice:(id<MTLDevice> _Nonnull)device
                             resultImage:(MPSNNImageNode* _Nonnull)resultImage
                     resultImageIsNeeded:(BOOL)resultImageIsNeeded NS_DESIGNATED_INITIALIZER;
- (instancetype _Nullable)initWithDevice:(id<MTLDevice> _Nonnull)device
                            resultImages:(NSArray<MPSNNImageNode*>* _Nonnull)resultImages
                        resultsAreNeeded:(BOOL* _Nullable)resultsAreNeeded NS_DESIGNATED_INITIALIZER;
- (NSUInteger)readCountForSourceImageAtIndex:(NSUInteger)index;
- (NSUInteger)readCountForSourceStateAtIndex:(NSUInteger)index;
- (void)reloadFromDataSources;
@end
