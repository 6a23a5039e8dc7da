// Matrix kernels of networks: softmax, top-k, neurons, fully connected layers, sums, batch normalization, and their gradients.
#pragma once
#import <MetalPerformanceShaders/MPSCNNKernel.h>
#import <MetalPerformanceShaders/MPSMatrixKernel.h>

@class MPSMatrixSoftMax, MPSMatrixLogSoftMax, MPSMatrixFindTopK, MPSMatrixNeuron, MPSMatrixFullyConnected, MPSMatrixSum,
       MPSMatrixBatchNormalization, MPSMatrixSoftMaxGradient, MPSMatrixLogSoftMaxGradient, MPSMatrixNeuronGradient, MPSMatrixFullyConnectedGradient, MPSMatrixBatchNormalizationGradient;

@interface MPSMatrixSoftMax : MPSMatrixUnaryKernel {
 @package
  NSUInteger _sourceColumns;
  NSUInteger _sourceRows;
}
@property(nonatomic) NSUInteger sourceColumns;
@property(nonatomic) NSUInteger sourceRows;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
@end

@interface MPSMatrixLogSoftMax : MPSMatrixSoftMax
@end

@interface MPSMatrixFindTopK : MPSMatrixUnaryKernel {
 @package
  NSUInteger _indexOffset;
  NSUInteger _numberOfTopKValues;
  NSUInteger _sourceColumns;
  NSUInteger _sourceRows;
}
@property(nonatomic) NSUInteger indexOffset;
@property(nonatomic) NSUInteger numberOfTopKValues;
@property(nonatomic) NSUInteger sourceColumns;
@property(nonatomic) NSUInteger sourceRows;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
            resultIndexMatrix:(MPSMatrix* _Nonnull)resultIndexMatrix
            resultValueMatrix:(MPSMatrix* _Nonnull)resultValueMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device numberOfTopKValues:(NSUInteger)numberOfTopKValues;
@end

@interface MPSMatrixNeuron : MPSMatrixUnaryKernel {
 @package
  double _alpha;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  NSData* _slopes;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
}
@property(nonatomic) double alpha;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                   biasVector:(MPSVector* _Nullable)biasVector
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (float)neuronParameterA;
- (float)neuronParameterB;
- (float)neuronParameterC;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronToPReLUWithParametersA:(NSData* _Nonnull)A;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end

@interface MPSMatrixFullyConnected : MPSMatrixBinaryKernel {
 @package
  double _alpha;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
  NSUInteger _sourceOutputFeatureChannels;
}
@property(nonatomic) double alpha;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
@property(nonatomic) NSUInteger sourceOutputFeatureChannels;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                 weightMatrix:(MPSMatrix* _Nonnull)weightMatrix
                   biasVector:(MPSVector* _Nullable)biasVector
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (float)neuronParameterA;
- (float)neuronParameterB;
- (float)neuronParameterC;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end

typedef struct {
  uint32_t rowOffset;
  uint32_t columnOffset;
} MPSMatrixOffset;

@interface MPSMatrixSum : MPSKernel {
 @package
  NSUInteger _columns;
  NSUInteger _count;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  MTLOrigin _resultMatrixOrigin;
  NSUInteger _rows;
  BOOL _transpose;
}
@property(readonly, nonatomic) NSUInteger columns;
@property(readonly, nonatomic) NSUInteger count;
@property(readonly, nonatomic) float neuronParameterA;
@property(readonly, nonatomic) float neuronParameterB;
@property(readonly, nonatomic) float neuronParameterC;
@property(nonatomic) MTLOrigin resultMatrixOrigin;
@property(readonly, nonatomic) NSUInteger rows;
@property(readonly, nonatomic) BOOL transpose;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               sourceMatrices:(NSArray<MPSMatrix*>* _Nonnull)sourceMatrices
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix
                  scaleVector:(MPSVector* _Nullable)scaleVector
                 offsetVector:(MPSVector* _Nullable)offsetVector
                   biasVector:(MPSVector* _Nullable)biasVector
                   startIndex:(NSUInteger)startIndex;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device
                                  count:(NSUInteger)count
                                   rows:(NSUInteger)rows
                                columns:(NSUInteger)columns
                              transpose:(BOOL)transpose;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end

@interface MPSMatrixBatchNormalization : MPSMatrixUnaryKernel {
 @package
  BOOL _computeStatistics;
  float _epsilon;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
}
@property(nonatomic) BOOL computeStatistics;
@property(nonatomic) float epsilon;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                   meanVector:(MPSVector* _Nonnull)meanVector
               varianceVector:(MPSVector* _Nonnull)varianceVector
                  gammaVector:(MPSVector* _Nullable)gammaVector
                   betaVector:(MPSVector* _Nullable)betaVector
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (float)neuronParameterA;
- (float)neuronParameterB;
- (float)neuronParameterC;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end

@interface MPSMatrixSoftMaxGradient : MPSMatrixBinaryKernel {
 @package
  NSUInteger _sourceColumns;
  NSUInteger _sourceRows;
}
@property(nonatomic) NSUInteger sourceColumns;
@property(nonatomic) NSUInteger sourceRows;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               gradientMatrix:(MPSMatrix* _Nonnull)gradientMatrix
          forwardOutputMatrix:(MPSMatrix* _Nonnull)forwardOutputMatrix
                 resultMatrix:(MPSMatrix* _Nonnull)resultMatrix;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
@end

@interface MPSMatrixLogSoftMaxGradient : MPSMatrixSoftMaxGradient
@end

@interface MPSMatrixNeuronGradient : MPSMatrixBinaryKernel {
 @package
  double _alpha;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  NSData* _slopes;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
}
@property(nonatomic) double alpha;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               gradientMatrix:(MPSMatrix* _Nonnull)gradientMatrix
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                   biasVector:(MPSVector* _Nullable)biasVector
  resultGradientForDataMatrix:(MPSMatrix* _Nonnull)resultGradientForDataMatrix
  resultGradientForBiasVector:(MPSVector* _Nullable)resultGradientForBiasVector;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (float)neuronParameterA;
- (float)neuronParameterB;
- (float)neuronParameterC;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronToPReLUWithParametersA:(NSData* _Nonnull)A;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end

@interface MPSMatrixFullyConnectedGradient : MPSMatrixBinaryKernel {
 @package
  double _alpha;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
  NSUInteger _sourceOutputFeatureChannels;
}
@property(nonatomic) double alpha;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
@property(nonatomic) NSUInteger sourceOutputFeatureChannels;
- (void)encodeGradientForDataToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                              gradientMatrix:(const MPSMatrix* _Nonnull)gradientMatrix
                                weightMatrix:(const MPSMatrix* _Nonnull)weightMatrix
                 resultGradientForDataMatrix:(MPSMatrix* _Nonnull)resultGradientForDataMatrix;
- (void)encodeGradientForWeightsAndBiasToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
                                        gradientMatrix:(const MPSMatrix* _Nonnull)gradientMatrix
                                           inputMatrix:(const MPSMatrix* _Nonnull)inputMatrix
                         resultGradientForWeightMatrix:(MPSMatrix* _Nonnull)resultGradientForWeightMatrix
                           resultGradientForBiasVector:(MPSVector* _Nullable)resultGradientForBiasVector;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
@end

@interface MPSMatrixBatchNormalizationGradient : MPSMatrixBinaryKernel {
 @package
  float _epsilon;
  float _neuronParameterA;
  float _neuronParameterB;
  float _neuronParameterC;
  MPSCNNNeuronType _neuronType;
  NSUInteger _sourceInputFeatureChannels;
  NSUInteger _sourceNumberOfFeatureVectors;
}
@property(nonatomic) float epsilon;
@property(nonatomic) NSUInteger sourceInputFeatureChannels;
@property(nonatomic) NSUInteger sourceNumberOfFeatureVectors;
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer
               gradientMatrix:(MPSMatrix* _Nonnull)gradientMatrix
                  inputMatrix:(MPSMatrix* _Nonnull)inputMatrix
                   meanVector:(MPSVector* _Nonnull)meanVector
               varianceVector:(MPSVector* _Nonnull)varianceVector
                  gammaVector:(MPSVector* _Nullable)gammaVector
                   betaVector:(MPSVector* _Nullable)betaVector
  resultGradientForDataMatrix:(MPSMatrix* _Nonnull)resultGradientForDataMatrix
 resultGradientForGammaVector:(MPSVector* _Nullable)resultGradientForGammaVector
  resultGradientForBetaVector:(MPSVector* _Nullable)resultGradientForBetaVector;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device;
- (float)neuronParameterA;
- (float)neuronParameterB;
- (float)neuronParameterC;
- (MPSCNNNeuronType)neuronType;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC;
@end
