// Graph nodes and the graph.
#pragma once
#import <MetalPerformanceShaders/MPSCNNKernel.h>

@class MPSNNImageNode, MPSNNStateNode, MPSNNFilterNode, MPSCNNConvolutionNode, MPSCNNPoolingNode, MPSCNNPoolingMaxNode,
    MPSCNNSoftMaxNode, MPSNNConcatenationNode, MPSNNGraph;
@protocol MPSHandle
, MPSNNTrainableNode;

@protocol MPSHandle <NSObject, NSSecureCoding>
- (NSString* _Nullable)label;
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
  MPSNNFilterNode* _producer;  // not retained; nil when none made it or that one is gone
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

@interface MPSNNFilterNode : NSObject {
 @package
  NSString* _label;
  id<MPSNNPadding> _paddingPolicy;
  MPSNNImageNode* _resultImage;
  NSArray<MPSNNImageNode*>* _sources;
}
@property(copy) NSString* _Nullable label;
@property(nonatomic, retain) id<MPSNNPadding> _Nonnull paddingPolicy;
@property(readonly, nonatomic) MPSNNImageNode* _Nonnull resultImage;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
@end

@interface MPSCNNConvolutionNode : MPSNNFilterNode <MPSNNTrainableNode> {
 @package
  MPSNNConvolutionAccumulatorPrecisionOption _accumulatorPrecision;
  MPSNNTrainingStyle _trainingStyle;
  id<MPSCNNConvolutionDataSource> _weights;
}
@property(nonatomic) MPSNNConvolutionAccumulatorPrecisionOption accumulatorPrecision;
@property(nonatomic) MPSNNTrainingStyle trainingStyle;
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                                weights:(id<MPSCNNConvolutionDataSource> _Nonnull)weights;
@end

@interface MPSCNNPoolingNode : MPSNNFilterNode {
 @package
  NSUInteger _kernelHeight;
  NSUInteger _kernelWidth;
  NSUInteger _strideInPixelsX;
  NSUInteger _strideInPixelsY;
}
@property(readonly, nonatomic) NSUInteger kernelHeight;
@property(readonly, nonatomic) NSUInteger kernelWidth;
@property(readonly, nonatomic) NSUInteger strideInPixelsX;
@property(readonly, nonatomic) NSUInteger strideInPixelsY;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source
                            kernelWidth:(NSUInteger)kernelWidth
                           kernelHeight:(NSUInteger)kernelHeight
                        strideInPixelsX:(NSUInteger)strideInPixelsX
                        strideInPixelsY:(NSUInteger)strideInPixelsY;
@end

@interface MPSCNNPoolingMaxNode : MPSCNNPoolingNode
@end

@interface MPSCNNSoftMaxNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSource:(MPSNNImageNode* _Nonnull)source;
- (instancetype _Nonnull)initWithSource:(MPSNNImageNode* _Nonnull)source;
@end

@interface MPSNNConcatenationNode : MPSNNFilterNode
+ (instancetype _Nonnull)nodeWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
- (instancetype _Nonnull)initWithSources:(NSArray<MPSNNImageNode*>* _Nonnull)sources;
@end

namespace standin {
struct GraphPlan;
}

@interface MPSNNGraph : MPSKernel <NSCopying, NSSecureCoding> {
 @package
  id<MPSImageAllocator> _destinationImageAllocator;
  MPSImageFeatureChannelFormat _format;
  std::shared_ptr<const standin::GraphPlan> _plan;
}
@property(nonatomic, retain) id<MPSImageAllocator> _Nonnull destinationImageAllocator;
@property(nonatomic) MPSImageFeatureChannelFormat format;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nullable intermediateImageHandles;
@property(readonly, nonatomic) id<MPSHandle> _Nullable resultHandle;
@property(readonly, nonatomic) BOOL resultImageIsNeeded;
@property(readonly, nonatomic, copy) NSArray<id<MPSHandle>>* _Nonnull sourceImageHandles;
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
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nullable)initWithDevice:(id<MTLDevice> _Nonnull)device
                             resultImage:(MPSNNImageNode* _Nonnull)resultImage
                     resultImageIsNeeded:(BOOL)resultImageIsNeeded NS_DESIGNATED_INITIALIZER;
- (instancetype _Nullable)initWithDevice:(id<MTLDevice> _Nonnull)device
                            resultImages:(NSArray<MPSNNImageNode*>* _Nonnull)resultImages
                        resultsAreNeeded:(BOOL* _Nullable)resultsAreNeeded NS_DESIGNATED_INITIALIZER;
- (NSUInteger)readCountForSourceImageAtIndex:(NSUInteger)index;
- (void)reloadFromDataSources;
@end
