// Network kernels without weights.
#include "mps_cnn.hpp"

using namespace standin;

@implementation MPSCNNPooling
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)kernelWidth
                  kernelHeight:(NSUInteger)kernelHeight
               strideInPixelsX:(NSUInteger)strideInPixelsX
               strideInPixelsY:(NSUInteger)strideInPixelsY {
  require(kernelWidth > 0 && kernelHeight > 0 && strideInPixelsX > 0 && strideInPixelsY > 0, @"a pooling's size or stride is 0");
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = kernelWidth;
    _kernelHeight = kernelHeight;
    _strideInPixelsX = strideInPixelsX;
    _strideInPixelsY = strideInPixelsY;
  }
  return self;
}
@end

@implementation MPSCNNPoolingMax
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)kernelWidth
                  kernelHeight:(NSUInteger)kernelHeight
               strideInPixelsX:(NSUInteger)strideInPixelsX
               strideInPixelsY:(NSUInteger)strideInPixelsY {
  return [super initWithDevice:device kernelWidth:kernelWidth kernelHeight:kernelHeight strideInPixelsX:strideInPixelsX strideInPixelsY:strideInPixelsY];
}
- (Operation)standinOperation {
  return pool_max;
}
@end

@implementation MPSCNNSoftMax
- (Operation)standinOperation {
  return soft_max;
}
@end

@implementation MPSCNNNeuron
- (instancetype)initWithDevice:(id<MTLDevice>)device neuronDescriptor:(MPSNNNeuronDescriptor*)neuronDescriptor {
  if ((self = [super initWithDevice:device])) _descriptor = [neuronDescriptor copy];
  return self;
}
- (void)dealloc {
  [_descriptor release];
  [super dealloc];
}
- (void)standinCopyStateFrom:(MPSCNNNeuron*)other {
  [super standinCopyStateFrom:other];
  _descriptor = [other->_descriptor retain];
}
- (MPSCNNNeuronType)neuronType {
  return _descriptor.neuronType;
}
- (Operation)standinOperation {
  if (_descriptor.neuronType != MPSCNNNeuronTypePReLU) {
    return [neuron = neuron_of(_descriptor, @"MPSCNNNeuron")](const Tensor& src, const LayerWindow& window, Index height, Index width) {
      return map_pixels(src, window, height, width, [&](const float* in, float* out) {
        for (Index c = 0; c < src.channels; ++c) out[c] = neuron(in[c]);
      });
    };
  }
  const std::vector<float> slopes = decode(_descriptor.data.bytes, _descriptor.data.length / sizeof(float), MPSDataTypeFloat32);
  return [slopes](const Tensor& src, const LayerWindow& window, Index height, Index width) {
    return map_pixels(src, window, height, width, [&](const float* in, float* out) {
      for (Index c = 0; c < src.channels; ++c) out[c] = in[c] >= 0 ? in[c] : slopes.at(static_cast<std::size_t>(c)) * in[c];
    });
  };
}
@end
