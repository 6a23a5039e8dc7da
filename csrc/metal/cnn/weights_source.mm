#include "metal/cnn/weights_source.hpp"

#include "metal/context.hpp"

using mpskit::metal::LayerWeights;

@implementation MPSKWeightsSource
- (instancetype)initWithWeights:(std::shared_ptr<LayerWeights>)weights {
  if ((self = [super init])) {
    _weights = std::move(weights);
    const mpskit::cnn::ConvolutionDescriptor& d = _weights->descriptor();
    Class kind = _weights->groups() == LayerWeights::Groups::depthwise ? [MPSCNNDepthWiseConvolutionDescriptor class] : [MPSCNNConvolutionDescriptor class];
    const auto count = [](std::int64_t n) { return static_cast<NSUInteger>(n); };
    MPSCNNConvolutionDescriptor* own = [kind cnnConvolutionDescriptorWithKernelWidth:count(d.kernel_width)
                                                                        kernelHeight:count(d.kernel_height)
                                                                inputFeatureChannels:count(d.input_feature_channels)
                                                               outputFeatureChannels:count(d.output_feature_channels)];
    own.strideInPixelsX = count(d.stride_in_pixels_x);
    own.strideInPixelsY = count(d.stride_in_pixels_y);
    own.dilationRateX = count(d.dilation_rate_x);
    own.dilationRateY = count(d.dilation_rate_y);
    own.groups = count(d.groups);
    own.fusedNeuronDescriptor = mpskit::metal::neuron_descriptor(mpskit::metal::neuron_of(d));
    _descriptor = mpskit::metal::hold(own);
  }
  return self;
}
- (id)copyWithZone:(NSZone*)zone {
  (void)zone;
  return [self retain];  // api_check: allow retain: a copy of what never changes
}
- (BOOL)load {
  return _weights->load() ? YES : NO;
}
- (void)purge {
  _weights->purge();
}
- (MPSCNNConvolutionDescriptor*)descriptor {
  return _descriptor.get();
}
- (MPSDataType)dataType {
  return mpskit::metal::data_type(_weights->dtype());
}
- (MPSDataType)kernelWeightsDataType {
  return _weights->keeps_float32() ? MPSDataTypeFloat32 : MPSDataTypeFloat16;
}
- (void*)weights {
  return const_cast<void*>(_weights->weights());
}
- (float*)biasTerms {
  return const_cast<float*>(_weights->bias());
}
- (MPSCNNWeightsQuantizationType)weightsQuantizationType {
  if (_weights->dtype() != mpskit::DType::u8) return MPSCNNWeightsQuantizationTypeNone;
  return _weights->has_table() ? MPSCNNWeightsQuantizationTypeLookupTable : MPSCNNWeightsQuantizationTypeLinear;
}
- (vector_float2*)rangesForUInt8Kernel {
  return reinterpret_cast<vector_float2*>(const_cast<float*>(_weights->ranges()));
}
- (float*)lookupTableForUInt8Kernel {
  return const_cast<float*>(_weights->lookup_table());
}
- (NSString*)label {
  return mpskit::metal::to_ns(_weights->label());
}
@end

namespace mpskit::metal {

retained<MPSKWeightsSource*> source_of(std::shared_ptr<LayerWeights> weights) { return adopt([[MPSKWeightsSource alloc] initWithWeights:std::move(weights)]); }

MPSNNNeuronDescriptor* neuron_descriptor(const cnn::Neuron& n) {
  const auto type = n.type == cnn::NeuronType::prelu ? MPSCNNNeuronTypeNone : static_cast<MPSCNNNeuronType>(n.type);
  return [MPSNNNeuronDescriptor cnnNeuronDescriptorWithType:type a:n.a b:n.b c:n.c];
}

}  // namespace mpskit::metal
