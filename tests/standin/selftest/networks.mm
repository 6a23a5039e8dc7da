#include "networks.hpp"

#include <cstring>

@implementation SelftestWeights
- (void)dealloc {
  CHECK(_loaded == 0);
  [_descriptor release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone*)zone {
  (void)zone;
  return [self retain];
}
- (MPSDataType)dataType {
  return MPSDataTypeFloat32;
}
- (MPSDataType)kernelWeightsDataType {
  return _is_float ? MPSDataTypeFloat32 : MPSDataTypeFloat16;
}
- (MPSCNNConvolutionDescriptor*)descriptor {
  return _descriptor;
}
- (void*)weights {
  CHECK(_loaded == 1);
  return _weights.data();
}
- (float*)biasTerms {
  return _bias.empty() ? nullptr : _bias.data();
}
- (BOOL)load {
  ++_loads;
  if (_fails) return NO;
  ++_loaded;
  return YES;
}
- (void)purge {
  --_loaded;
}
- (NSString*)label {
  return nil;
}
@end

SelftestWeights* weights_of(MPSCNNConvolutionDescriptor* descriptor, std::vector<float> weights, std::vector<float> bias) {
  SelftestWeights* w = [[[SelftestWeights alloc] init] autorelease];
  w->_descriptor = [descriptor retain];
  w->_weights = std::move(weights);
  w->_bias = std::move(bias);
  w->_is_float = true;
  return w;
}
MPSCNNConvolutionDescriptor* convolution(NSUInteger width, NSUInteger height, NSUInteger in, NSUInteger out) {
  return [MPSCNNConvolutionDescriptor cnnConvolutionDescriptorWithKernelWidth:width kernelHeight:height inputFeatureChannels:in outputFeatureChannels:out];
}
MPSNNNeuronDescriptor* neuron(MPSCNNNeuronType type, float a, float b, float c) {
  return [MPSNNNeuronDescriptor cnnNeuronDescriptorWithType:type a:a b:b c:c];
}

MPSImage* image_of(NSUInteger height, NSUInteger width, NSUInteger channels, std::vector<float> values) {
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32
                                                                         width:width
                                                                        height:height
                                                               featureChannels:channels];
  MPSImage* image = [[[MPSImage alloc] initWithDevice:selftest::device() imageDescriptor:d] autorelease];
  if (!values.empty()) [image writeBytes:values.data() dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels imageIndex:0];
  return image;
}
std::vector<float> values_of(MPSImage* image) {
  std::vector<float> out(image.width * image.height * image.featureChannels);
  [image readBytes:out.data() dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels imageIndex:0];
  return out;
}
MPSMatrix* matrix_of(NSUInteger rows, NSUInteger columns, std::vector<float> values) {
  const NSUInteger row_bytes = columns * sizeof(float);
  id<MTLBuffer> buffer = [[selftest::device() newBufferWithLength:rows * row_bytes options:MTLResourceStorageModeShared] autorelease];
  if (!values.empty()) std::memcpy(buffer.contents, values.data(), values.size() * sizeof(float));
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:rows columns:columns rowBytes:row_bytes dataType:MPSDataTypeFloat32];
  return [[[MPSMatrix alloc] initWithBuffer:buffer descriptor:d] autorelease];
}
std::vector<float> values_of(MPSMatrix* matrix) {
  std::vector<float> out(matrix.rows * matrix.columns);
  for (NSUInteger r = 0; r < matrix.rows; ++r)
    std::memcpy(&out[r * matrix.columns], static_cast<char*>(matrix.data.contents) + matrix.offset + r * matrix.rowBytes, matrix.columns * sizeof(float));
  return out;
}

bool near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance) {
  if (got.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!(std::fabs(got[i] - wanted[i]) <= tolerance * std::max(1.0, std::fabs(wanted[i])))) return false;
  return true;
}
void run(void (^encode)(id<MTLCommandBuffer>)) {
  id<MTLCommandBuffer> commands = [selftest::queue() commandBuffer];
  encode(commands);
  [commands commit];
  [commands waitUntilCompleted];
}
