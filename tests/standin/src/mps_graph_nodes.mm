// Nodes of a graph: descriptions without a device.
#include "mps_graph.hpp"

using namespace standin;

@implementation MPSNNImageNode
@synthesize exportFromGraph = _exportFromGraph, format = _format, handle = _handle, imageAllocator = _imageAllocator, stopGradient = _stopGradient,
            synchronizeResource = _synchronizeResource;
+ (instancetype)nodeWithHandle:(NSObject<MPSHandle>*)handle {
  return [[[self alloc] initWithHandle:handle] autorelease];
}
+ (instancetype)exportedNodeWithHandle:(NSObject<MPSHandle>*)handle {
  MPSNNImageNode* node = [self nodeWithHandle:handle];
  node->_exportFromGraph = YES;
  return node;
}
- (instancetype)initWithHandle:(NSObject<MPSHandle>*)handle {
  if ((self = [super init])) {
    _handle = [handle retain];
    _imageAllocator = [[MPSTemporaryImage defaultAllocator] retain];
  }
  return self;
}
- (void)dealloc {
  [_handle release];
  [_imageAllocator release];
  [super dealloc];
}
@end

@implementation MPSNNFilterNode
@synthesize label = _label, paddingPolicy = _paddingPolicy, resultImage = _resultImage;
- (instancetype)initStandinWithSources:(NSArray<MPSNNImageNode*>*)sources {
  require(sources.count > 0, @"%@ has no source", NSStringFromClass([self class]));
  if ((self = [super init])) {
    _sources = [sources copy];
    _resultImage = [[MPSNNImageNode alloc] initWithHandle:nil];
    _resultImage->_format = [_sources objectAtIndex:0].format;
    _resultImage->_producer = self;
    _paddingPolicy = [[MPSNNDefaultPadding paddingWithMethod:MPSNNPaddingMethodSizeSame] retain];
  }
  return self;
}
- (void)dealloc {
  _resultImage->_producer = nil;
  [_label release];
  [_paddingPolicy release];
  [_resultImage release];
  [_sources release];
  [super dealloc];
}
- (MPSCNNKernel*)standinKernelForDevice:(id<MTLDevice>)device {
  (void)device;
  return nil;
}
@end

@implementation MPSCNNConvolutionNode
@synthesize accumulatorPrecision = _accumulatorPrecision, trainingStyle = _trainingStyle;
+ (instancetype)nodeWithSource:(MPSNNImageNode*)source weights:(id<MPSCNNConvolutionDataSource>)weights {
  return [[[self alloc] initWithSource:source weights:weights] autorelease];
}
- (instancetype)initWithSource:(MPSNNImageNode*)source weights:(id<MPSCNNConvolutionDataSource>)weights {
  if ((self = [super initStandinWithSources:@[ source ]])) {
    _accumulatorPrecision = MPSNNConvolutionAccumulatorPrecisionOptionFloat;
    _trainingStyle = MPSNNTrainingStyleUpdateDeviceGPU;
    _weights = [weights retain];
  }
  return self;
}
- (void)dealloc {
  [_weights release];
  [super dealloc];
}
- (MPSCNNKernel*)standinKernelForDevice:(id<MTLDevice>)device {
  MPSCNNConvolution* kernel = [[[MPSCNNConvolution alloc] initWithDevice:device weights:_weights] autorelease];
  kernel.accumulatorPrecisionOption = _accumulatorPrecision;
  return kernel;
}
@end

@implementation MPSCNNPoolingNode
@synthesize kernelHeight = _kernelHeight, kernelWidth = _kernelWidth, strideInPixelsX = _strideInPixelsX, strideInPixelsY = _strideInPixelsY;
- (instancetype)initWithSource:(MPSNNImageNode*)source
                   kernelWidth:(NSUInteger)kernelWidth
                  kernelHeight:(NSUInteger)kernelHeight
               strideInPixelsX:(NSUInteger)strideInPixelsX
               strideInPixelsY:(NSUInteger)strideInPixelsY {
  if ((self = [super initStandinWithSources:@[ source ]])) {
    _kernelWidth = kernelWidth;
    _kernelHeight = kernelHeight;
    _strideInPixelsX = strideInPixelsX;
    _strideInPixelsY = strideInPixelsY;
  }
  return self;
}
@end

@implementation MPSCNNPoolingMaxNode
- (MPSCNNKernel*)standinKernelForDevice:(id<MTLDevice>)device {
  MPSCNNPoolingMax* kernel = [[[MPSCNNPoolingMax alloc] initWithDevice:device
                                                           kernelWidth:_kernelWidth
                                                          kernelHeight:_kernelHeight
                                                       strideInPixelsX:_strideInPixelsX
                                                       strideInPixelsY:_strideInPixelsY] autorelease];
  kernel.edgeMode = MPSImageEdgeModeClamp;  // the node's default, where the kernel's is zero
  return kernel;
}
@end

@implementation MPSCNNSoftMaxNode
+ (instancetype)nodeWithSource:(MPSNNImageNode*)source {
  return [[[self alloc] initWithSource:source] autorelease];
}
- (instancetype)initWithSource:(MPSNNImageNode*)source {
  return [super initStandinWithSources:@[ source ]];
}
- (MPSCNNKernel*)standinKernelForDevice:(id<MTLDevice>)device {
  return [[[MPSCNNSoftMax alloc] initWithDevice:device] autorelease];
}
@end

@implementation MPSNNConcatenationNode
+ (instancetype)nodeWithSources:(NSArray<MPSNNImageNode*>*)sources {
  return [[[self alloc] initWithSources:sources] autorelease];
}
- (instancetype)initWithSources:(NSArray<MPSNNImageNode*>*)sources {
  return [super initStandinWithSources:sources];
}
@end
