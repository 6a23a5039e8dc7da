// Network kernels: windows, weights, padding policies, what is refused.
#include "networks.hpp"

using namespace selftest;

@interface SelftestCodes : SelftestWeights {
 @public
  std::vector<unsigned char> _codes;
  vector_float2 _range;
  std::vector<float> _table;
}
@end
@implementation SelftestCodes
- (MPSDataType)dataType {
  return MPSDataTypeUInt8;
}
- (MPSDataType)kernelWeightsDataType {
  return MPSDataTypeFloat16;
}
- (void*)weights {
  return _codes.data();
}
- (MPSCNNWeightsQuantizationType)weightsQuantizationType {
  return _table.empty() ? MPSCNNWeightsQuantizationTypeLinear : MPSCNNWeightsQuantizationTypeLookupTable;
}
- (vector_float2*)rangesForUInt8Kernel {
  return &_range;
}
- (float*)lookupTableForUInt8Kernel {
  return _table.data();
}
@end

@interface SelftestPadding : NSObject <MPSNNPadding> {
 @public
  MPSOffset _offset;
  NSUInteger _width, _height;
}
@end
@implementation SelftestPadding
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [super init];
}
- (MPSNNPaddingMethod)paddingMethod {
  return MPSNNPaddingMethodCustom | MPSNNPaddingMethodSizeSame;
}
- (MPSImageDescriptor*)destinationImageDescriptorForSourceImages:(NSArray<MPSImage*>*)images
                                                    sourceStates:(NSArray<MPSState*>*)states
                                                       forKernel:(MPSKernel*)kernel
                                             suggestedDescriptor:(MPSImageDescriptor*)descriptor {
  (void)images;
  (void)states;
  ((MPSCNNKernel*)kernel).offset = _offset;
  descriptor.width = _width;
  descriptor.height = _height;
  return descriptor;
}
@end

static MPSCNNConvolution* kernel_of(id<MPSCNNConvolutionDataSource> weights) {
  return [[[MPSCNNConvolution alloc] initWithDevice:device() weights:weights] autorelease];
}
static std::vector<float> apply(MPSCNNKernel* kernel, MPSImage* source, NSUInteger height, NSUInteger width, NSUInteger channels) {
  MPSImage* result = image_of(height, width, channels);
  run(^(id<MTLCommandBuffer> cb) {
    [kernel encodeToCommandBuffer:cb sourceImage:source destinationImage:result];
    [result synchronizeOnCommandBuffer:cb];
  });
  return values_of(result);
}

TEST(even_windows_lean_to_the_left) {
  MPSImage* row = image_of(1, 5, 1, {1, 2, 3, 4, 5});
  CHECK(near(apply(kernel_of(weights_of(convolution(2, 1, 1, 1), {1, 10})), row, 1, 5, 1), {10, 21, 32, 43, 54}));
  MPSCNNConvolutionDescriptor* dilated = convolution(2, 1, 1, 1);
  dilated.dilationRateX = 3;
  CHECK(near(apply(kernel_of(weights_of(dilated, {1, 10})), row, 1, 5, 1), {20, 30, 41, 52, 3}));
  MPSCNNConvolution* clamped = kernel_of(weights_of(convolution(2, 1, 1, 1), {1, 10}));
  clamped.edgeMode = MPSImageEdgeModeClamp;
  CHECK(near(apply(clamped, row, 1, 5, 1), {11, 21, 32, 43, 54}));
}

TEST(weights_are_halves_unless_asked) {
  MPSImage* one = image_of(1, 1, 1, {1});
  SelftestWeights* third = weights_of(convolution(1, 1, 1, 1), {1.0f / 3}, {2});
  CHECK(near(apply(kernel_of(third), one, 1, 1, 1), {2 + 1.0 / 3}, 1e-7));
  third->_is_float = false;
  CHECK(near(apply(kernel_of(third), one, 1, 1, 1), {2.333251953125}, 1e-9));
  CHECK(third->_loads == 2);
}

TEST(codes_stand_for_numbers) {
  SelftestCodes* codes = [[[SelftestCodes alloc] init] autorelease];
  codes->_descriptor = [convolution(1, 1, 3, 1) retain];
  codes->_codes = {0, 128, 255};
  codes->_range = {-1, 3};
  CHECK(near(apply(kernel_of(codes), image_of(1, 1, 3, {1, 0, 0}), 1, 1, 1), {-1}));
  CHECK(near(apply(kernel_of(codes), image_of(1, 1, 3, {0, 1, 0}), 1, 1, 1), {1.0078125}));  // 1.0078431 as half
  codes->_table.assign(256, 0);
  codes->_table[128] = 7;
  CHECK(near(apply(kernel_of(codes), image_of(1, 1, 3, {1, 1, 1}), 1, 1, 1), {7}));
}

TEST(groups_and_depthwise) {
  MPSCNNConvolutionDescriptor* two = convolution(1, 1, 8, 8);
  two.groups = 2;
  std::vector<float> w(32);
  for (std::size_t o = 0; o < 8; ++o) w[o * 4 + o % 4] = static_cast<float>(o + 1);
  CHECK(near(apply(kernel_of(weights_of(two, w)), image_of(1, 1, 8, {1, 1, 1, 1, 2, 2, 2, 2}), 1, 1, 8), {1, 2, 3, 4, 10, 12, 14, 16}));
  MPSCNNConvolutionDescriptor* each =
      [MPSCNNDepthWiseConvolutionDescriptor cnnConvolutionDescriptorWithKernelWidth:1 kernelHeight:1 inputFeatureChannels:3 outputFeatureChannels:3];
  MPSCNNConvolution* depthwise = kernel_of(weights_of(each, {1, 2, 3}));
  CHECK(depthwise.channelMultiplier == 1 && depthwise.groups == 1);
  CHECK(near(apply(depthwise, image_of(1, 1, 3, {1, 1, 2}), 1, 1, 3), {1, 2, 6}));
  MPSCNNConvolutionDescriptor* odd = convolution(1, 1, 6, 6);
  odd.groups = 2;
  CHECK_REFUSED(@"multiple of 4", kernel_of(weights_of(odd, std::vector<float>(18))));
}

TEST(channels_go_by_slices) {
  MPSCNNConvolution* k = kernel_of(weights_of(convolution(1, 1, 1, 1), {1}));
  k.destinationFeatureChannelOffset = 4;
  k.sourceFeatureChannelOffset = 4;
  k.sourceFeatureChannelMaxCount = 1;
  MPSImage* result = image_of(1, 1, 12, std::vector<float>(12, 7));
  run(^(id<MTLCommandBuffer> cb) {
    [k encodeToCommandBuffer:cb sourceImage:image_of(1, 1, 6, {0, 0, 0, 0, 5, 6}) destinationImage:result];
    [result synchronizeOnCommandBuffer:cb];
  });
  const std::vector<float> got = values_of(result);
  CHECK(got[3] == 7 && got[4] == 5 && got[8] == 7 && got[5] != 7);  // the rest of the slice is spoilt
  k.destinationFeatureChannelOffset = 2;
  CHECK_REFUSED(@"whole slices", run(^(id<MTLCommandBuffer> cb) {
                  [k encodeToCommandBuffer:cb sourceImage:image_of(1, 1, 6) destinationImage:result];
                }));
  MPSCNNConvolution* wide = kernel_of(weights_of(convolution(1, 1, 2, 1), {1, 1}));
  CHECK_REFUSED(@"reads 2 channels and is given 3", run(^(id<MTLCommandBuffer> cb) {
                  [wide encodeToCommandBuffer:cb sourceImage:image_of(1, 1, 3) destinationImage:result];
                }));
}

TEST(pooling_softmax_and_neurons) {
  MPSCNNPoolingMax* pool = [[[MPSCNNPoolingMax alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1 strideInPixelsX:3 strideInPixelsY:1] autorelease];
  MPSImage* row = image_of(1, 8, 1, {-1, -2, -3, -4, -5, -6, -7, -8});
  CHECK(near(apply(pool, row, 1, 3, 1), {0, -3, -6}));
  pool.edgeMode = MPSImageEdgeModeClamp;
  pool.offset = {1, 0, 0};
  CHECK(near(apply(pool, row, 1, 3, 1), {-1, -4, -7}));
  MPSCNNSoftMax* soft = [[[MPSCNNSoftMax alloc] initWithDevice:device()] autorelease];
  CHECK(near(apply(soft, image_of(1, 1, 2, {1, 2}), 1, 1, 2), {0.268941432, 0.731058598}, 1e-7));
  MPSCNNConvolutionDescriptor* d = convolution(1, 1, 1, 1);
  const auto with = [&](MPSCNNNeuronType type, float a, float b, float x) {
    d.fusedNeuronDescriptor = neuron(type, a, b);
    return apply(kernel_of(weights_of(d, {1})), image_of(1, 1, 1, {x}), 1, 1, 1)[0];
  };
  CHECK(with(MPSCNNNeuronTypeReLUN, 1, 6, -2) == -2 && with(MPSCNNNeuronTypeReLUN, 0, 6, -2) == 0 && with(MPSCNNNeuronTypeReLUN, 0, 6, 7) == 6);
  CHECK(with(MPSCNNNeuronTypeReLU, 0.5f, 0, -2) == -1 && with(MPSCNNNeuronTypeHardSigmoid, 0.2f, 0.5f, 0) == 0.5f);
  d.fusedNeuronDescriptor = neuron(MPSCNNNeuronTypePReLU);
  CHECK_REFUSED(@"PReLU", kernel_of(weights_of(d, {1})));
  const float slopes[2] = {0.5f, 2};
  MPSNNNeuronDescriptor* prelu = [MPSNNNeuronDescriptor cnnNeuronPReLUDescriptorWithData:[NSData dataWithBytes:slopes length:sizeof slopes] noCopy:false];
  MPSCNNNeuron* each = [[[MPSCNNNeuron alloc] initWithDevice:device() neuronDescriptor:prelu] autorelease];
  CHECK(near(apply(each, image_of(1, 2, 2, {-1, -1, 3, 4}), 1, 2, 2), {-0.5, -2, 3, 4}));
  MPSCNNNeuron* absolute = [[[MPSCNNNeuron alloc] initWithDevice:device() neuronDescriptor:neuron(MPSCNNNeuronTypeAbsolute)] autorelease];
  CHECK(near(apply(absolute, image_of(1, 1, 2, {-1, 2}), 1, 1, 2), {1, 2}));
}

TEST(padding_policies_size_and_place) {
  const auto policy = [](NSUInteger n, NSUInteger k, NSUInteger stride, MPSNNPaddingMethod method) {
    MPSCNNPoolingMax* pool = [[[MPSCNNPoolingMax alloc] initWithDevice:device() kernelWidth:k kernelHeight:1 strideInPixelsX:stride strideInPixelsY:1] autorelease];
    pool.padding = [MPSNNDefaultPadding paddingWithMethod:method];
    MPSImageDescriptor* d = [pool destinationImageDescriptorForSourceImages:@[ image_of(1, n, 1) ] sourceStates:nil];
    return std::vector<long>{static_cast<long>(d.width), static_cast<long>(pool.offset.x)};
  };
  const auto same = MPSNNPaddingMethodSizeSame, valid = MPSNNPaddingMethodSizeValidOnly, full = MPSNNPaddingMethodSizeFull;
  const auto last = MPSNNPaddingMethodAddRemainderToBottomRight;
  using V = std::vector<long>;
  CHECK((policy(4, 3, 2, same) == V{2, 0}) && (policy(4, 3, 2, same | last) == V{2, 1}));
  CHECK((policy(224, 7, 2, same) == V{112, 0}) && (policy(224, 7, 2, same | last) == V{112, 1}));
  CHECK((policy(8, 3, 3, valid) == V{2, 1}) && (policy(8, 3, 3, valid | last) == V{2, 2}));
  CHECK((policy(4, 3, 1, full) == V{6, -1}) && (policy(4, 3, 1, full | last) == V{6, -1}));
  MPSCNNPoolingMax* pool = [[[MPSCNNPoolingMax alloc] initWithDevice:device() kernelWidth:2 kernelHeight:2 strideInPixelsX:2 strideInPixelsY:2] autorelease];
  SelftestPadding* own = [[[SelftestPadding alloc] init] autorelease];
  own->_offset = {1, 1, 0};
  own->_width = own->_height = 2;
  pool.padding = own;
  __block MPSImage* result = nil;
  run(^(id<MTLCommandBuffer> cb) {
    pool.destinationImageAllocator = [MPSImage defaultAllocator];
    result = [[pool encodeToCommandBuffer:cb sourceImage:image_of(4, 4, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})] retain];
    [result synchronizeOnCommandBuffer:cb];
  });
  CHECK(near(values_of(result), {6, 8, 14, 16}));
  [result release];
}

TEST(a_source_that_does_not_load_makes_no_kernel) {
  SelftestWeights* w = weights_of(convolution(1, 1, 1, 1), {1});
  w->_fails = true;
  CHECK(kernel_of(w) == nil);
}
