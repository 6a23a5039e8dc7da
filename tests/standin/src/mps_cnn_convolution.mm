// Convolution: its descriptors, how a data source's weights become those of the kernel, neurons.
#include "mps_cnn.hpp"

#include <cstring>

using namespace standin;

@implementation MPSNNNeuronDescriptor
@synthesize a = _a, b = _b, c = _c, data = _data, neuronType = _neuronType;
+ (BOOL)supportsSecureCoding {
  return YES;
}
+ (MPSNNNeuronDescriptor*)cnnNeuronDescriptorWithType:(MPSCNNNeuronType)type a:(float)a b:(float)b c:(float)c {
  MPSNNNeuronDescriptor* descriptor = [[[self alloc] initStandin] autorelease];
  descriptor->_neuronType = type;
  descriptor->_a = a;
  descriptor->_b = b;
  descriptor->_c = c;
  return descriptor;
}
+ (MPSNNNeuronDescriptor*)cnnNeuronPReLUDescriptorWithData:(NSData*)data noCopy:(bool)noCopy {
  require(!noCopy, @"slopes without a copy need memory made for a buffer");
  MPSNNNeuronDescriptor* descriptor = [self cnnNeuronDescriptorWithType:MPSCNNNeuronTypePReLU a:0 b:0 c:0];
  descriptor->_data = [data copy];
  return descriptor;
}
- (instancetype)initStandin {
  return [super init];
}
- (void)dealloc {
  [_data release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone*)zone {
  MPSNNNeuronDescriptor* copy = [[[self class] allocWithZone:zone] initStandin];
  copy->_neuronType = _neuronType;
  copy->_a = _a;
  copy->_b = _b;
  copy->_c = _c;
  copy->_data = [_data retain];
  return copy;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
  misuse(@"the stand-in archives no neurons");
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  misuse(@"the stand-in archives no neurons");
}
@end

@implementation MPSCNNConvolutionDescriptor
@synthesize dilationRateX = _dilationRateX, dilationRateY = _dilationRateY, fusedNeuronDescriptor = _fusedNeuronDescriptor, groups = _groups,
            inputFeatureChannels = _inputFeatureChannels, kernelHeight = _kernelHeight, kernelWidth = _kernelWidth,
            outputFeatureChannels = _outputFeatureChannels, strideInPixelsX = _strideInPixelsX, strideInPixelsY = _strideInPixelsY;
+ (BOOL)supportsSecureCoding {
  return YES;
}
+ (instancetype)cnnConvolutionDescriptorWithKernelWidth:(NSUInteger)kernelWidth
                                           kernelHeight:(NSUInteger)kernelHeight
                                   inputFeatureChannels:(NSUInteger)inputFeatureChannels
                                  outputFeatureChannels:(NSUInteger)outputFeatureChannels {
  MPSCNNConvolutionDescriptor* d = [[[self alloc] init] autorelease];
  d->_kernelWidth = kernelWidth;
  d->_kernelHeight = kernelHeight;
  d->_inputFeatureChannels = inputFeatureChannels;
  d->_outputFeatureChannels = outputFeatureChannels;
  d->_strideInPixelsX = d->_strideInPixelsY = d->_dilationRateX = d->_dilationRateY = d->_groups = 1;
  d->_fusedNeuronDescriptor = [[MPSNNNeuronDescriptor cnnNeuronDescriptorWithType:MPSCNNNeuronTypeNone a:0 b:0 c:0] retain];
  return d;
}
- (void)dealloc {
  [_fusedNeuronDescriptor release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone*)zone {
  MPSCNNConvolutionDescriptor* copy = [[[self class] allocWithZone:zone] init];
  copy->_kernelWidth = _kernelWidth;
  copy->_kernelHeight = _kernelHeight;
  copy->_inputFeatureChannels = _inputFeatureChannels;
  copy->_outputFeatureChannels = _outputFeatureChannels;
  copy->_strideInPixelsX = _strideInPixelsX;
  copy->_strideInPixelsY = _strideInPixelsY;
  copy->_dilationRateX = _dilationRateX;
  copy->_dilationRateY = _dilationRateY;
  copy->_groups = _groups;
  copy->_fusedNeuronDescriptor = [_fusedNeuronDescriptor copyWithZone:zone];
  copy->_scale = _scale;
  copy->_shift = _shift;
  return copy;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
  misuse(@"the stand-in archives no convolutions");
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  misuse(@"the stand-in archives no convolutions");
}
- (void)setBatchNormalizationParametersForInferenceWithMean:(const float*)mean
                                                   variance:(const float*)variance
                                                      gamma:(const float*)gamma
                                                       beta:(const float*)beta
                                                    epsilon:(const float)epsilon {
  require(mean && variance && gamma && beta, @"batch normalization needs mean, variance, gamma and beta");
  _scale.resize(_outputFeatureChannels);
  _shift.resize(_outputFeatureChannels);
  for (NSUInteger o = 0; o < _outputFeatureChannels; ++o) {
    _scale[o] = gamma[o] / std::sqrt(variance[o] + epsilon);
    _shift[o] = beta[o] - _scale[o] * mean[o];
  }
}
@end

@implementation MPSCNNDepthWiseConvolutionDescriptor
- (NSUInteger)channelMultiplier {
  return _outputFeatureChannels / _inputFeatureChannels;
}
@end

namespace standin {

std::vector<float> decode(const void* data, std::size_t count, MPSDataType type) {
  std::vector<float> out(count);
  const std::size_t size = (type & 0xff) / 8;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* element = static_cast<const unsigned char*>(data) + i * size;
    if (type == MPSDataTypeFloat32) std::memcpy(&out[i], element, size);
    else if (type == MPSDataTypeFloat16) {
      _Float16 h;
      std::memcpy(&h, element, size);
      out[i] = static_cast<float>(h);
    } else out[i] = static_cast<float>(*element);
  }
  return out;
}

Neuron neuron_of(MPSNNNeuronDescriptor* d, NSString* who) {
  if (!d) return {};
  require(d.neuronType >= MPSCNNNeuronTypeNone && d.neuronType < MPSCNNNeuronTypeCount, @"%@: neuron type %d", who, d.neuronType);
  require(d.neuronType != MPSCNNNeuronTypePReLU, @"%@: PReLU cannot be fused", who);
  return {static_cast<NeuronType>(d.neuronType), d.a, d.b, d.c};
}

namespace {

void check(MPSCNNConvolutionDescriptor* d, bool is_depthwise, NSString* who) {
  require(d.kernelWidth > 0 && d.kernelHeight > 0 && d.inputFeatureChannels > 0 && d.outputFeatureChannels > 0, @"%@: a size is 0", who);
  require(d.strideInPixelsX > 0 && d.strideInPixelsY > 0 && d.dilationRateX > 0 && d.dilationRateY > 0 && d.groups > 0,
          @"%@: a stride, dilation or number of groups is 0", who);
  if (is_depthwise) {
    require(d.groups == 1, @"%@: a depthwise convolution has no groups", who);
    require(d.outputFeatureChannels == d.inputFeatureChannels, @"%@: depthwise from %lu to %lu channels; only a multiplier of 1 works", who,
            lu(d.inputFeatureChannels), lu(d.outputFeatureChannels));
  }
  if (d.groups > 1) {
    const NSUInteger in = d.inputFeatureChannels / d.groups, out = d.outputFeatureChannels / d.groups;
    require(in * d.groups == d.inputFeatureChannels && out * d.groups == d.outputFeatureChannels && in % 4 == 0 && out % 4 == 0,
            @"%@: %lu and %lu channels in %lu groups; each must be a multiple of 4", who, lu(d.inputFeatureChannels), lu(d.outputFeatureChannels),
            lu(d.groups));
  }
}

std::vector<float> dequantized(id<MPSCNNConvolutionDataSource> source, const std::vector<float>& codes, std::size_t outputs, NSString* who) {
  require([source respondsToSelector:@selector(weightsQuantizationType)], @"%@: 8-bit weights without weightsQuantizationType", who);
  const MPSCNNWeightsQuantizationType type = [source weightsQuantizationType];
  std::vector<float> out(codes.size());
  if (type == MPSCNNWeightsQuantizationTypeLinear) {
    require([source respondsToSelector:@selector(rangesForUInt8Kernel)] && [source rangesForUInt8Kernel], @"%@: linear 8-bit weights without ranges", who);
    const vector_float2* ranges = [source rangesForUInt8Kernel];
    const std::size_t each = codes.size() / outputs;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const vector_float2 range = ranges[i / each];
      out[i] = codes[i] / 255 * (range.y - range.x) + range.x;
    }
  } else {
    require(type == MPSCNNWeightsQuantizationTypeLookupTable, @"%@: 8-bit weights of quantization type %u", who, type);
    require([source respondsToSelector:@selector(lookupTableForUInt8Kernel)] && [source lookupTableForUInt8Kernel], @"%@: 8-bit weights without a table", who);
    const float* table = [source lookupTableForUInt8Kernel];
    for (std::size_t i = 0; i < codes.size(); ++i) out[i] = table[static_cast<std::size_t>(codes[i])];
  }
  return out;
}

}  // namespace

std::shared_ptr<const ConvolutionWeights> read_weights(id<MPSCNNConvolutionDataSource> source, NSString* who) {
  require(source != nil, @"%@: no data source", who);
  const Loaded loaded(source);
  if (!loaded) return nullptr;
  MPSCNNConvolutionDescriptor* d = [source descriptor];
  require(d != nil, @"%@: the data source has no descriptor", who);
  auto out = std::make_shared<ConvolutionWeights>();
  out->is_depthwise = [d isKindOfClass:[MPSCNNDepthWiseConvolutionDescriptor class]];
  check(d, out->is_depthwise, who);
  out->inputs = static_cast<Index>(d.inputFeatureChannels);
  out->outputs = static_cast<Index>(d.outputFeatureChannels);
  out->groups = out->is_depthwise ? out->inputs : static_cast<Index>(d.groups);
  out->y = {static_cast<Index>(d.kernelHeight), static_cast<Index>(d.strideInPixelsY), static_cast<Index>(d.dilationRateY), 0};
  out->x = {static_cast<Index>(d.kernelWidth), static_cast<Index>(d.strideInPixelsX), static_cast<Index>(d.dilationRateX), 0};
  out->neuron = neuron_of(d.fusedNeuronDescriptor, who);

  const MPSDataType type = [source dataType];
  require(type == MPSDataTypeFloat32 || type == MPSDataTypeFloat16 || type == MPSDataTypeUInt8, @"%@: weights of data type 0x%x", who, type);
  if ([source respondsToSelector:@selector(weightsLayout)]) require([source weightsLayout] == MPSCNNConvolutionWeightsLayoutOHWI, @"%@: weights layout", who);
  if ([source respondsToSelector:@selector(kernelWeightsDataType)]) {
    const MPSDataType kept = [source kernelWeightsDataType];
    require(kept == MPSDataTypeFloat16 || (kept == MPSDataTypeFloat32 && type == MPSDataTypeFloat32), @"%@: weights of type 0x%x cannot be kept as 0x%x", who, type, kept);
    out->are_float = kept == MPSDataTypeFloat32;
  }
  const auto outputs = static_cast<std::size_t>(out->outputs);
  const std::size_t each = static_cast<std::size_t>(out->y.kernel * out->x.kernel * (out->inputs / out->groups));
  const void* weights = [source weights];
  require(weights != nullptr, @"%@: the data source has no weights", who);
  require(reinterpret_cast<std::uintptr_t>(weights) % ((type & 0xff) / 8) == 0, @"%@: weights are not aligned to their type", who);
  out->weights = decode(weights, outputs * each, type);
  if (type == MPSDataTypeUInt8) out->weights = dequantized(source, out->weights, outputs, who);
  out->bias.assign(outputs, 0.0f);
  if (const float* bias = [source biasTerms]) {
    require(reinterpret_cast<std::uintptr_t>(bias) % alignof(float) == 0, @"%@: bias terms are not aligned", who);
    out->bias.assign(bias, bias + outputs);
  }
  if (!d->_scale.empty()) {
    for (std::size_t i = 0; i < out->weights.size(); ++i) out->weights[i] *= d->_scale[i / each];
    for (std::size_t o = 0; o < outputs; ++o) out->bias[o] = out->bias[o] * d->_scale[o] + d->_shift[o];
  }
  if (!out->are_float)
    for (float& w : out->weights) w = half(w);
  return out;
}

}  // namespace standin

@implementation MPSCNNConvolution
@synthesize accumulatorPrecisionOption = _accumulatorPrecisionOption, dataSource = _dataSource;
- (instancetype)initWithDevice:(id<MTLDevice>)device weights:(id<MPSCNNConvolutionDataSource>)weights {
  if ((self = [super initWithDevice:device])) {
    _accumulatorPrecisionOption = MPSNNConvolutionAccumulatorPrecisionOptionFloat;
    _dataSource = [weights retain];
    Unfinished made(self);
    [self reloadWeightsAndBiasesFromDataSource];
    if (!_weights) return nil;
    made.done();
  }
  return self;
}
- (void)dealloc {
  [_dataSource release];
  [super dealloc];
}
- (void)standinCopyStateFrom:(MPSCNNConvolution*)other {
  [super standinCopyStateFrom:other];
  _accumulatorPrecisionOption = other->_accumulatorPrecisionOption;
  _dataSource = [other->_dataSource retain];
  _weights = other->_weights;
}
- (void)reloadWeightsAndBiasesFromDataSource {
  _weights = read_weights(_dataSource, @"MPSCNNConvolution");
  if (!_weights) return;
  _kernelHeight = static_cast<NSUInteger>(_weights->y.kernel);
  _kernelWidth = static_cast<NSUInteger>(_weights->x.kernel);
  _strideInPixelsY = static_cast<NSUInteger>(_weights->y.stride);
  _strideInPixelsX = static_cast<NSUInteger>(_weights->x.stride);
  _dilationRateY = static_cast<NSUInteger>(_weights->y.dilation);
  _dilationRateX = static_cast<NSUInteger>(_weights->x.dilation);
}
- (NSUInteger)channelMultiplier {
  return _weights->is_depthwise ? 1 : 0;
}
- (NSUInteger)groups {
  return _weights->is_depthwise ? 1 : static_cast<NSUInteger>(_weights->groups);
}
- (NSUInteger)inputFeatureChannels {
  return static_cast<NSUInteger>(_weights->inputs);
}
- (NSUInteger)outputFeatureChannels {
  return static_cast<NSUInteger>(_weights->outputs);
}
- (NSUInteger)standinInputChannels {
  return self.inputFeatureChannels;
}
- (NSUInteger)standinOutputChannelsFor:(NSUInteger)input {
  (void)input;
  return self.outputFeatureChannels;
}
- (Operation)standinOperation {
  const bool half_sums = _accumulatorPrecisionOption == MPSNNConvolutionAccumulatorPrecisionOptionHalf;
  require(!(half_sums && _weights->are_float), @"float32 weights in the kernel need the float accumulator");
  return [weights = _weights, half_sums](const Tensor& src, const LayerWindow& window, Index height, Index width) {
    return convolve(src, *weights, window, height, width, half_sums);
  };
}
@end
