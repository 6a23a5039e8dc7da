// Recurrent layers.
#pragma once
#import <MetalPerformanceShaders/MPSCNNKernel.h>
#import <MetalPerformanceShaders/MPSMatrix.h>

@class MPSRNNDescriptor, MPSRNNSingleGateDescriptor, MPSGRUDescriptor, MPSLSTMDescriptor, MPSRNNRecurrentMatrixState,
    MPSRNNMatrixInferenceLayer;

@interface MPSRNNDescriptor : NSObject {
 @package
  NSUInteger _inputFeatureChannels;
  MPSRNNSequenceDirection _layerSequenceDirection;
  NSUInteger _outputFeatureChannels;
  BOOL _useFloat32Weights;
  BOOL _useLayerInputUnitTransformMode;
}
@property(nonatomic) NSUInteger inputFeatureChannels;
@property(nonatomic) MPSRNNSequenceDirection layerSequenceDirection;
@property(nonatomic) NSUInteger outputFeatureChannels;
@property(nonatomic) BOOL useFloat32Weights;
@property(nonatomic) BOOL useLayerInputUnitTransformMode;
@end

@interface MPSRNNSingleGateDescriptor : MPSRNNDescriptor {
 @package
  id<MPSCNNConvolutionDataSource> _inputWeights;
  id<MPSCNNConvolutionDataSource> _recurrentWeights;
}
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable recurrentWeights;
+ (instancetype _Nonnull)createRNNSingleGateDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels
                                                         outputFeatureChannels:(NSUInteger)outputFeatureChannels;
@end

@interface MPSGRUDescriptor : MPSRNNDescriptor {
 @package
  BOOL _flipOutputGates;
  float _gatePnormValue;
  id<MPSCNNConvolutionDataSource> _inputGateInputWeights;
  id<MPSCNNConvolutionDataSource> _inputGateRecurrentWeights;
  id<MPSCNNConvolutionDataSource> _outputGateInputGateWeights;
  id<MPSCNNConvolutionDataSource> _outputGateInputWeights;
  id<MPSCNNConvolutionDataSource> _outputGateRecurrentWeights;
  id<MPSCNNConvolutionDataSource> _recurrentGateInputWeights;
  id<MPSCNNConvolutionDataSource> _recurrentGateRecurrentWeights;
}
@property(nonatomic) BOOL flipOutputGates;
@property(nonatomic) float gatePnormValue;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputGateRecurrentWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateInputGateWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateRecurrentWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable recurrentGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable recurrentGateRecurrentWeights;
+ (instancetype _Nonnull)createGRUDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels
                                               outputFeatureChannels:(NSUInteger)outputFeatureChannels;
@end

@interface MPSLSTMDescriptor : MPSRNNDescriptor {
 @package
  id<MPSCNNConvolutionDataSource> _cellGateInputWeights;
  id<MPSCNNConvolutionDataSource> _cellGateMemoryWeights;
  id<MPSCNNConvolutionDataSource> _cellGateRecurrentWeights;
  float _cellToOutputNeuronParamA;
  float _cellToOutputNeuronParamB;
  float _cellToOutputNeuronParamC;
  MPSCNNNeuronType _cellToOutputNeuronType;
  id<MPSCNNConvolutionDataSource> _forgetGateInputWeights;
  id<MPSCNNConvolutionDataSource> _forgetGateMemoryWeights;
  id<MPSCNNConvolutionDataSource> _forgetGateRecurrentWeights;
  id<MPSCNNConvolutionDataSource> _inputGateInputWeights;
  id<MPSCNNConvolutionDataSource> _inputGateMemoryWeights;
  id<MPSCNNConvolutionDataSource> _inputGateRecurrentWeights;
  BOOL _memoryWeightsAreDiagonal;
  id<MPSCNNConvolutionDataSource> _outputGateInputWeights;
  id<MPSCNNConvolutionDataSource> _outputGateMemoryWeights;
  id<MPSCNNConvolutionDataSource> _outputGateRecurrentWeights;
}
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable cellGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable cellGateMemoryWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable cellGateRecurrentWeights;
@property(nonatomic) float cellToOutputNeuronParamA;
@property(nonatomic) float cellToOutputNeuronParamB;
@property(nonatomic) float cellToOutputNeuronParamC;
@property(nonatomic) MPSCNNNeuronType cellToOutputNeuronType;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable forgetGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable forgetGateMemoryWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable forgetGateRecurrentWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputGateMemoryWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable inputGateRecurrentWeights;
@property(nonatomic) BOOL memoryWeightsAreDiagonal;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateInputWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateMemoryWeights;
@property(nonatomic, retain) id<MPSCNNConvolutionDataSource> _Nullable outputGateRecurrentWeights;
+ (instancetype _Nonnull)createLSTMDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels
                                                outputFeatureChannels:(NSUInteger)outputFeatureChannels;
@end

namespace standin {
struct RecurrentLayer;
}

@interface MPSRNNRecurrentMatrixState : MPSState {
 @package
  NSMutableArray<MPSMatrix*>* _outputs;  // one a layer
  NSMutableArray* _memoryCells;          // likewise; NSNull where the layer has none
}
- (MPSMatrix* _Nullable)getMemoryCellMatrixForLayerIndex:(NSUInteger)layerIndex;
- (MPSMatrix* _Nullable)getRecurrentOutputMatrixForLayerIndex:(NSUInteger)layerIndex;
@end

@interface MPSRNNMatrixInferenceLayer : MPSKernel {
 @package
  MPSRNNBidirectionalCombineMode _bidirectionalCombineMode;
  std::vector<std::shared_ptr<const standin::RecurrentLayer>> _layers;
  BOOL _recurrentOutputIsTemporary;
  BOOL _storeAllIntermediateStates;
}
@property(nonatomic) MPSRNNBidirectionalCombineMode bidirectionalCombineMode;
@property(readonly, nonatomic) NSUInteger inputFeatureChannels;
@property(readonly, nonatomic) NSUInteger numberOfLayers;
@property(readonly, nonatomic) NSUInteger outputFeatureChannels;
@property(nonatomic) BOOL recurrentOutputIsTemporary;
@property(nonatomic) BOOL storeAllIntermediateStates;
- (void)encodeBidirectionalSequenceToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                    sourceSequence:(NSArray<MPSMatrix*>* _Nonnull)sourceSequence
                        destinationForwardMatrices:(NSArray<MPSMatrix*>* _Nonnull)destinationForwardMatrices
                       destinationBackwardMatrices:(NSArray<MPSMatrix*>* _Nullable)destinationBackwardMatrices;
- (void)encodeSequenceToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                       sourceMatrices:(NSArray<MPSMatrix*>* _Nonnull)sourceMatrices
                  destinationMatrices:(NSArray<MPSMatrix*>* _Nonnull)destinationMatrices
                  recurrentInputState:(MPSRNNRecurrentMatrixState* _Nullable)recurrentInputState
                recurrentOutputStates:(NSMutableArray<MPSRNNRecurrentMatrixState*>* _Nullable)recurrentOutputStates;
- (void)encodeSequenceToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                       sourceMatrices:(NSArray<MPSMatrix*>* _Nonnull)sourceMatrices
                        sourceOffsets:(NSUInteger* _Nullable)sourceOffsets
                  destinationMatrices:(NSArray<MPSMatrix*>* _Nonnull)destinationMatrices
                   destinationOffsets:(NSUInteger* _Nullable)destinationOffsets
                  recurrentInputState:(MPSRNNRecurrentMatrixState* _Nullable)recurrentInputState
                recurrentOutputStates:(NSMutableArray<MPSRNNRecurrentMatrixState*>* _Nullable)recurrentOutputStates;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                          rnnDescriptor:(const MPSRNNDescriptor* _Nonnull)rnnDescriptor NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                         rnnDescriptors:(NSArray<const MPSRNNDescriptor*>* _Nonnull)rnnDescriptors
    NS_DESIGNATED_INITIALIZER;
@end
