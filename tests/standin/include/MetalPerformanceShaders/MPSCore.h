// Types, the kernel base class, states and the wrapped command buffer.
#pragma once
#import <Metal/Metal.h>

@class MPSImage, MPSImageDescriptor, MPSMatrix, MPSNNImageNode, MPSNNFilterNode, MPSCNNKernel, MPSKernel,
    MPSState, MPSCommandBuffer, MPSKeyedUnarchiver;
@protocol MPSDeviceProvider;

typedef float vector_float2 __attribute__((ext_vector_type(2)));
typedef float vector_float4 __attribute__((ext_vector_type(4)));

typedef NS_ENUM(NSUInteger, MPSDataLayout) {
  MPSDataLayoutHeightxWidthxFeatureChannels = 0,
  MPSDataLayoutFeatureChannelsxHeightxWidth = 1,
};

typedef NS_ENUM(uint32_t, MPSDataType) {
  MPSDataTypeInvalid = 0,
  MPSDataTypeFloatBit = 0x10000000,
  MPSDataTypeFloat32 = 0x10000020,
  MPSDataTypeFloat16 = 0x10000010,
  MPSDataTypeSignedBit = 0x20000000,
  MPSDataTypeIntBit __attribute__((deprecated)) = 0x20000000,
  MPSDataTypeInt8 = 0x20000008,
  MPSDataTypeInt16 = 0x20000010,
  MPSDataTypeInt32 = 0x20000020,
  MPSDataTypeInt64 = 0x20000040,
  MPSDataTypeUInt8 = 8,
  MPSDataTypeUInt16 = 16,
  MPSDataTypeUInt32 = 32,
  MPSDataTypeUInt64 = 64,
  MPSDataTypeAlternateEncodingBit = 0x80000000,
  MPSDataTypeBool = 0x80000008,
  MPSDataTypeNormalizedBit = 0x40000000,
  MPSDataTypeUnorm1 = 0x40000001,
  MPSDataTypeUnorm8 = 0x40000008,
};

typedef NS_ENUM(NSUInteger, MPSImageEdgeMode) {
  MPSImageEdgeModeZero = 0,
  MPSImageEdgeModeClamp = 1,
  MPSImageEdgeModeMirror = 2,
  MPSImageEdgeModeMirrorWithEdge = 3,
  MPSImageEdgeModeConstant = 4,
};

typedef NS_ENUM(NSUInteger, MPSImageFeatureChannelFormat) {
  MPSImageFeatureChannelFormatNone = 0,
  MPSImageFeatureChannelFormatUnorm8 = 1,
  MPSImageFeatureChannelFormatUnorm16 = 2,
  MPSImageFeatureChannelFormatFloat16 = 3,
  MPSImageFeatureChannelFormatFloat32 = 4,
  MPSImageFeatureChannelFormat_reserved0 = 5,
  MPSImageFeatureChannelFormatCount = 6,
};

typedef NS_ENUM(uint32_t, MPSImageType) {
  MPSImageType2d = 0,
  MPSImageType2d_array = 1,
  MPSImageTypeArray2d = 2,
  MPSImageTypeArray2d_array = 3,
  MPSImageType_ArrayMask = 1,
  MPSImageType_BatchMask = 2,
  MPSImageType_typeMask = 3,
  MPSImageType_noAlpha = 4,
  MPSImageType_texelFormatMask = 56,
  MPSImageType_texelFormatShift = 3,
  MPSImageType_texelFormatStandard = 0,
  MPSImageType_texelFormatUnorm8 = 8,
  MPSImageType_texelFormatFloat16 = 16,
  MPSImageType_texelFormatBFloat16 = 24,
  MPSImageType_bitCount = 6,
  MPSImageType_mask = 63,
  MPSImageType2d_noAlpha = 4,
  MPSImageType2d_array_noAlpha = 5,
  MPSImageTypeArray2d_noAlpha = 6,
  MPSImageTypeArray2d_array_noAlpha = 7,
};

typedef NS_OPTIONS(NSUInteger, MPSKernelOptions) {
  MPSKernelOptionsNone = 0,
  MPSKernelOptionsSkipAPIValidation = 1,
  MPSKernelOptionsAllowReducedPrecision = 2,
  MPSKernelOptionsDisableInternalTiling = 4,
  MPSKernelOptionsInsertDebugGroups = 8,
  MPSKernelOptionsVerbose = 16,
};

typedef NS_ENUM(NSUInteger, MPSPurgeableState) {
  MPSPurgeableStateAllocationDeferred = 0,
  MPSPurgeableStateKeepCurrent = 1,
  MPSPurgeableStateNonVolatile = 2,
  MPSPurgeableStateVolatile = 3,
  MPSPurgeableStateEmpty = 4,
};

typedef NS_OPTIONS(NSUInteger, MPSDeviceOptions) {
  MPSDeviceOptionsDefault = 0,
  MPSDeviceOptionsLowPower = 1,
  MPSDeviceOptionsSkipRemovable = 2,
};

typedef NS_ENUM(NSUInteger, MPSAlphaType) {
  MPSAlphaTypeNonPremultiplied = 0,
  MPSAlphaTypeAlphaIsOne = 1,
  MPSAlphaTypePremultiplied = 2,
};

typedef NS_ENUM(NSUInteger, MPSCNNConvolutionFlags) {
  MPSCNNConvolutionFlagsNone __attribute__((availability(ios, deprecated = 11.0))) = 0,
};

typedef NS_ENUM(uint32_t, MPSCNNConvolutionWeightsLayout) {
  MPSCNNConvolutionWeightsLayoutOHWI = 0,
};

typedef NS_ENUM(int32_t, MPSCNNNeuronType) {
  MPSCNNNeuronTypeNone = 0,
  MPSCNNNeuronTypeReLU = 1,
  MPSCNNNeuronTypeLinear = 2,
  MPSCNNNeuronTypeSigmoid = 3,
  MPSCNNNeuronTypeHardSigmoid = 4,
  MPSCNNNeuronTypeTanH = 5,
  MPSCNNNeuronTypeAbsolute = 6,
  MPSCNNNeuronTypeSoftPlus = 7,
  MPSCNNNeuronTypeSoftSign = 8,
  MPSCNNNeuronTypeELU = 9,
  MPSCNNNeuronTypePReLU = 10,
  MPSCNNNeuronTypeReLUN = 11,
  MPSCNNNeuronTypePower = 12,
  MPSCNNNeuronTypeExponential = 13,
  MPSCNNNeuronTypeLogarithm = 14,
  MPSCNNNeuronTypeGeLU = 15,
  MPSCNNNeuronTypeCount = 16,
};

typedef NS_ENUM(uint32_t, MPSCNNWeightsQuantizationType) {
  MPSCNNWeightsQuantizationTypeNone = 0,
  MPSCNNWeightsQuantizationTypeLinear = 1,
  MPSCNNWeightsQuantizationTypeLookupTable = 2,
};

typedef NS_OPTIONS(NSUInteger, MPSNNConvolutionAccumulatorPrecisionOption) {
  MPSNNConvolutionAccumulatorPrecisionOptionHalf = 0,
  MPSNNConvolutionAccumulatorPrecisionOptionFloat = 1,
};

typedef NS_OPTIONS(NSUInteger, MPSNNPaddingMethod) {
  MPSNNPaddingMethodAlignCentered = 0,
  MPSNNPaddingMethodAlignTopLeft = 1,
  MPSNNPaddingMethodAlignBottomRight = 2,
  MPSNNPaddingMethodAlign_reserved = 3,
  MPSNNPaddingMethodAlignMask = 3,
  MPSNNPaddingMethodAddRemainderToTopLeft = 0,
  MPSNNPaddingMethodAddRemainderToTopRight = 4,
  MPSNNPaddingMethodAddRemainderToBottomLeft = 8,
  MPSNNPaddingMethodAddRemainderToBottomRight = 12,
  MPSNNPaddingMethodAddRemainderToMask = 12,
  MPSNNPaddingMethodSizeValidOnly = 0,
  MPSNNPaddingMethodSizeSame = 16,
  MPSNNPaddingMethodSizeFull = 32,
  MPSNNPaddingMethodSize_reserved = 48,
  MPSNNPaddingMethodCustomWhitelistForNodeFusion __attribute__((availability(macos, deprecated = 12.0))) = 8192,
  MPSNNPaddingMethodCustomAllowForNodeFusion = 8192,
  MPSNNPaddingMethodCustom = 16384,
  MPSNNPaddingMethodSizeMask = 2032,
  MPSNNPaddingMethodExcludeEdges = 32768,
};

typedef NS_OPTIONS(NSUInteger, MPSNNTrainingStyle) {
  MPSNNTrainingStyleUpdateDeviceNone = 0,
  MPSNNTrainingStyleUpdateDeviceCPU = 1,
  MPSNNTrainingStyleUpdateDeviceGPU = 2,
};

typedef NS_ENUM(NSUInteger, MPSRNNBidirectionalCombineMode) {
  MPSRNNBidirectionalCombineModeNone = 0,
  MPSRNNBidirectionalCombineModeAdd = 1,
  MPSRNNBidirectionalCombineModeConcatenate = 2,
};

typedef NS_ENUM(NSUInteger, MPSRNNMatrixId) {
  MPSRNNMatrixIdSingleGateInputWeights = 0,
  MPSRNNMatrixIdSingleGateRecurrentWeights = 1,
  MPSRNNMatrixIdSingleGateBiasTerms = 2,
  MPSRNNMatrixIdLSTMInputGateInputWeights = 3,
  MPSRNNMatrixIdLSTMInputGateRecurrentWeights = 4,
  MPSRNNMatrixIdLSTMInputGateMemoryWeights = 5,
  MPSRNNMatrixIdLSTMInputGateBiasTerms = 6,
  MPSRNNMatrixIdLSTMForgetGateInputWeights = 7,
  MPSRNNMatrixIdLSTMForgetGateRecurrentWeights = 8,
  MPSRNNMatrixIdLSTMForgetGateMemoryWeights = 9,
  MPSRNNMatrixIdLSTMForgetGateBiasTerms = 10,
  MPSRNNMatrixIdLSTMMemoryGateInputWeights = 11,
  MPSRNNMatrixIdLSTMMemoryGateRecurrentWeights = 12,
  MPSRNNMatrixIdLSTMMemoryGateMemoryWeights = 13,
  MPSRNNMatrixIdLSTMMemoryGateBiasTerms = 14,
  MPSRNNMatrixIdLSTMOutputGateInputWeights = 15,
  MPSRNNMatrixIdLSTMOutputGateRecurrentWeights = 16,
  MPSRNNMatrixIdLSTMOutputGateMemoryWeights = 17,
  MPSRNNMatrixIdLSTMOutputGateBiasTerms = 18,
  MPSRNNMatrixIdGRUInputGateInputWeights = 19,
  MPSRNNMatrixIdGRUInputGateRecurrentWeights = 20,
  MPSRNNMatrixIdGRUInputGateBiasTerms = 21,
  MPSRNNMatrixIdGRURecurrentGateInputWeights = 22,
  MPSRNNMatrixIdGRURecurrentGateRecurrentWeights = 23,
  MPSRNNMatrixIdGRURecurrentGateBiasTerms = 24,
  MPSRNNMatrixIdGRUOutputGateInputWeights = 25,
  MPSRNNMatrixIdGRUOutputGateRecurrentWeights = 26,
  MPSRNNMatrixIdGRUOutputGateInputGateWeights = 27,
  MPSRNNMatrixIdGRUOutputGateBiasTerms = 28,
  MPSRNNMatrixId_count = 29,
};

typedef NS_ENUM(NSUInteger, MPSRNNSequenceDirection) {
  MPSRNNSequenceDirectionForward = 0,
  MPSRNNSequenceDirectionBackward = 1,
};

typedef struct MPSImageReadWriteParams {
  NSUInteger featureChannelOffset;
  NSUInteger numberOfFeatureChannelsToReadWrite;
} MPSImageReadWriteParams;
typedef struct MPSOffset {
  NSInteger x;
  NSInteger y;
  NSInteger z;
} MPSOffset;
typedef struct MPSSize {
  double width;
  double height;
  double depth;
} MPSSize;
typedef NSArray<MPSState*> MPSStateBatch;
typedef struct MPSOrigin {
  double x;
  double y;
  double z;
} MPSOrigin;
typedef NSArray<MPSImage*> MPSImageBatch;
typedef struct MPSRegion {
  MPSOrigin origin;
  MPSSize size;
} MPSRegion;
typedef struct MPSScaleTransform {
  double scaleX;
  double scaleY;
  double translateX;
  double translateY;
} MPSScaleTransform;
typedef id<MTLTexture> NS_RETURNS_RETAINED (^MPSCopyAllocator)(MPSKernel* _Nonnull, id<MTLCommandBuffer> _Nonnull,
                                                               id<MTLTexture> _Nonnull);
typedef void (^MPSNNGraphCompletionHandler)(MPSImage* _Nullable, NSError* _Nullable);

extern "C" id<MTLDevice> _Nullable MPSGetPreferredDevice(MPSDeviceOptions);
extern "C" void MPSHintTemporaryMemoryHighWaterMark(id<MTLCommandBuffer> _Nonnull, NSUInteger);
extern "C" void MPSSetHeapCacheDuration(id<MTLCommandBuffer> _Nonnull, double);
extern "C" NSUInteger MPSStateBatchIncrementReadCount(MPSStateBatch* _Nullable, NSInteger);
extern "C" NSUInteger MPSStateBatchResourceSize(MPSStateBatch* _Nullable);
extern "C" void MPSStateBatchSynchronize(MPSStateBatch* _Nonnull, id<MTLCommandBuffer> _Nonnull);
extern "C" BOOL MPSSupportsMTLDevice(id<MTLDevice> _Nullable);
extern "C" const MTLRegion MPSRectNoClip;

@protocol MPSDeviceProvider
- (id<MTLDevice>)mpsMTLDevice;
@end

@interface MPSKernel : NSObject <NSCopying, NSSecureCoding> {
 @package
  id<MTLDevice> _device;
  NSString* _label;
  MPSKernelOptions _options;
}
@property(readonly, nonatomic, retain) id<MTLDevice> _Nonnull device;
@property(nonatomic, copy) NSString* _Nullable label;
@property(nonatomic) MPSKernelOptions options;
- (instancetype _Nonnull)copyWithZone:(NSZone* _Nullable)zone device:(id<MTLDevice> _Nullable)device;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder;
- (instancetype _Nullable)initWithCoder:(NSCoder* _Nonnull)coder
                                 device:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSState : NSObject {
 @package
  id<MTLCommandBuffer> _commandBuffer;  // of a temporary state, else nil
  NSString* _label;
  NSUInteger _readCount;
}
@property(readonly, nonatomic) BOOL isTemporary;
@property(nonatomic, copy) NSString* _Nullable label;
@property(nonatomic) NSUInteger readCount;
@property(readonly, nonatomic) NSUInteger resourceCount;
- (instancetype _Nullable)init NS_UNAVAILABLE;
- (NSUInteger)resourceSize;
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer;
@end

@interface MPSCommandBuffer : NSObject <MTLCommandBuffer> {
 @package
  id<MTLCommandBuffer> _root;
}
@property(readonly, nonatomic, retain) id<MTLCommandBuffer> _Nonnull commandBuffer;
@property(readonly, nonatomic, retain) id<MTLCommandBuffer> _Nonnull rootCommandBuffer;
+ (instancetype _Nonnull)commandBufferFromCommandQueue:(id<MTLCommandQueue> _Nonnull)commandQueue;
+ (instancetype _Nonnull)commandBufferWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer;
- (void)commitAndContinue;
- (instancetype _Nonnull)init NS_UNAVAILABLE;
- (instancetype _Nonnull)initWithCommandBuffer:(id<MTLCommandBuffer> _Nonnull)commandBuffer NS_DESIGNATED_INITIALIZER;
- (void)prefetchHeapForWorkloadSize:(size_t)workloadSize;
@end

@interface MPSKeyedUnarchiver : NSKeyedUnarchiver <MPSDeviceProvider> {
 @package
  id<MTLDevice> _mpsDevice;
}
+ (id _Nullable)unarchivedObjectOfClass:(Class _Nonnull)unarchivedObjectOfClass
                               fromData:(NSData* _Nonnull)data
                                 device:(id<MTLDevice> _Nonnull)device
                                  error:(NSError* _Nullable* _Nullable)error;
- (instancetype _Nonnull)initForReadingFromData:(NSData* _Nonnull)data
                                         device:(id<MTLDevice> _Nonnull)device
                                          error:(NSError* _Nullable* _Nullable)error;
- (id<MTLDevice> _Nonnull)mpsMTLDevice;
@end
