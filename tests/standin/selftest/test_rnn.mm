// Recurrent layers, against vectors that were computed elsewhere (float64).
#include "networks.hpp"

using namespace selftest;

static std::vector<float> A(float k) { return {0.1f * k, -0.2f, 0.3f, 0.05f * k}; }
static std::vector<float> C(float k) { return {0.2f, -0.1f * k, 0.05f, 0.1f}; }
static SelftestWeights* gate(std::vector<float> w, MPSCNNNeuronType type, std::vector<float> bias) {
  MPSCNNConvolutionDescriptor* d = convolution(1, 1, 2, 2);
  d.fusedNeuronDescriptor = neuron(type);
  return weights_of(d, w, bias);
}
static SelftestWeights* plain(std::vector<float> w) { return weights_of(convolution(1, 1, 2, 2), w); }
static constexpr MPSCNNNeuronType sigmoid = MPSCNNNeuronTypeSigmoid, tanh_ = MPSCNNNeuronTypeTanH;

static MPSRNNMatrixInferenceLayer* layer_of(MPSRNNDescriptor* d) {
  d.useFloat32Weights = YES;
  return [[[MPSRNNMatrixInferenceLayer alloc] initWithDevice:device() rnnDescriptor:d] autorelease];
}
static NSArray<MPSMatrix*>* inputs() { return @[ matrix_of(1, 2, {1, 2}), matrix_of(1, 2, {-1, 0.5}) ]; }
static NSArray<MPSMatrix*>* results(NSUInteger columns = 2) { return @[ matrix_of(1, columns), matrix_of(1, columns) ]; }
static bool gives(MPSRNNDescriptor* d, const std::vector<double>& y0, const std::vector<double>& y1, const std::vector<double>& c1 = {}) {
  NSArray<MPSMatrix*>* out = results();
  NSMutableArray<MPSRNNRecurrentMatrixState*>* states = [NSMutableArray array];
  MPSRNNMatrixInferenceLayer* layer = layer_of(d);
  run(^(id<MTLCommandBuffer> cb) {
    [layer encodeSequenceToCommandBuffer:cb sourceMatrices:inputs() destinationMatrices:out recurrentInputState:nil recurrentOutputStates:states];
    for (MPSMatrix* m in out) [m synchronizeOnCommandBuffer:cb];
    [[states objectAtIndex:0] synchronizeOnCommandBuffer:cb];
  });
  MPSMatrix* cell = [[states objectAtIndex:0] getMemoryCellMatrixForLayerIndex:0];
  return states.count == 1 && near(values_of([out objectAtIndex:0]), y0) && near(values_of([out objectAtIndex:1]), y1) &&
         near(values_of([[states objectAtIndex:0] getRecurrentOutputMatrixForLayerIndex:0]), y1) &&
         (c1.empty() ? cell == nil : near(values_of(cell), c1));
}

static MPSRNNSingleGateDescriptor* single() {
  MPSRNNSingleGateDescriptor* d = [MPSRNNSingleGateDescriptor createRNNSingleGateDescriptorWithInputFeatureChannels:2 outputFeatureChannels:2];
  d.inputWeights = gate(A(1), tanh_, {0.1f, -0.1f});
  d.recurrentWeights = plain(C(1));
  return d;
}
static MPSGRUDescriptor* gru() {
  MPSGRUDescriptor* d = [MPSGRUDescriptor createGRUDescriptorWithInputFeatureChannels:2 outputFeatureChannels:2];
  d.inputGateInputWeights = gate(A(1), sigmoid, {0.1f, -0.1f});
  d.inputGateRecurrentWeights = plain(C(1));
  d.recurrentGateInputWeights = gate(A(2), sigmoid, {0, 0.2f});
  d.recurrentGateRecurrentWeights = plain(C(2));
  d.outputGateInputWeights = gate(A(3), tanh_, {0.05f, 0});
  d.outputGateRecurrentWeights = plain(C(3));
  return d;
}
static MPSLSTMDescriptor* lstm() {
  MPSLSTMDescriptor* d = [MPSLSTMDescriptor createLSTMDescriptorWithInputFeatureChannels:2 outputFeatureChannels:2];
  d.inputGateInputWeights = gate(A(1), sigmoid, {0.1f, -0.1f});
  d.inputGateRecurrentWeights = plain(C(1));
  d.forgetGateInputWeights = gate(A(2), sigmoid, {1, 1});
  d.forgetGateRecurrentWeights = plain(C(2));
  d.cellGateInputWeights = gate(A(3), tanh_, {0.05f, 0});
  d.cellGateRecurrentWeights = plain(C(3));
  d.outputGateInputWeights = gate(A(4), sigmoid, {0, 0.2f});
  d.outputGateRecurrentWeights = plain(C(4));
  return d;
}

TEST(cells_give_known_numbers) {
  CHECK(gives(single(), {-0.1973753202, 0.2913126125}, {-0.1670265679, -0.3414540021}));
  CHECK(gives(gru(), {-0.0274688130, 0.2285454621}, {-0.2086251901, -0.0297224753}));
  MPSGRUDescriptor* flipped = gru();
  flipped.flipOutputGates = YES;
  CHECK(gives(flipped, {-0.0224895620, 0.3085041049}, {-0.1882033334, 0.0947506225}));
  MPSGRUDescriptor* square = gru();
  square.gatePnormValue = 2;
  CHECK(gives(square, {-0.0446100754, 0.4395991977}, {-0.3721059691, 0.0006559348}));
  MPSGRUDescriptor* mgu = gru();
  mgu.outputGateRecurrentWeights = nil;
  mgu.outputGateInputGateWeights = plain(C(3));
  mgu.recurrentGateInputWeights = nil;
  mgu.recurrentGateRecurrentWeights = nil;
  mgu.flipOutputGates = YES;
  CHECK(gives(mgu, {-0.0224895620, 0.3085041049}, {-0.1853238348, 0.0937417373}));
  CHECK(gives(lstm(), {-0.0112428856, 0.2126276593}, {-0.0703271152, 0.0642259097}, {-0.1994579029, 0.1278276801}));
  MPSLSTMDescriptor* peeps = lstm();
  peeps.memoryWeightsAreDiagonal = YES;
  peeps.inputGateMemoryWeights = plain({0.1f, 0.2f});
  peeps.forgetGateMemoryWeights = plain({-0.1f, 0.3f});
  peeps.outputGateMemoryWeights = plain({0.2f, -0.2f});
  peeps.cellGateMemoryWeights = plain({0.05f, 0.05f});
  CHECK(gives(peeps, {-0.0112176009, 0.2087867448}, {-0.0685445433, 0.0678556275}, {-0.1992778815, 0.1370457326}));
}

TEST(states_carry_on) {
  MPSRNNMatrixInferenceLayer* layer = layer_of(lstm());
  layer.storeAllIntermediateStates = YES;
  NSArray<MPSMatrix*>*whole = results(), *second = results();
  NSMutableArray<MPSRNNRecurrentMatrixState*>* states = [NSMutableArray array];
  run(^(id<MTLCommandBuffer> cb) {
    [layer encodeSequenceToCommandBuffer:cb sourceMatrices:inputs() destinationMatrices:whole recurrentInputState:nil recurrentOutputStates:states];
    CHECK(states.count == 2);
    [layer encodeSequenceToCommandBuffer:cb
                          sourceMatrices:@[ [inputs() objectAtIndex:1] ]
                     destinationMatrices:@[ [second objectAtIndex:1] ]
                     recurrentInputState:[states objectAtIndex:0]
                   recurrentOutputStates:nil];
  });
  CHECK(values_of([whole objectAtIndex:1]) == values_of([second objectAtIndex:1]));
}

TEST(both_directions) {
  MPSLSTMDescriptor *there = lstm(), *back = lstm();
  there.useFloat32Weights = back.useFloat32Weights = YES;
  back.layerSequenceDirection = MPSRNNSequenceDirectionBackward;
  MPSRNNMatrixInferenceLayer* both = [[[MPSRNNMatrixInferenceLayer alloc] initWithDevice:device() rnnDescriptors:@[ there, back ]] autorelease];
  NSArray<MPSMatrix*>*forward = results(), *backward = results(), *joined = results(4), *added = results(), *alone = results();
  run(^(id<MTLCommandBuffer> cb) {
    [both encodeBidirectionalSequenceToCommandBuffer:cb sourceSequence:inputs() destinationForwardMatrices:forward destinationBackwardMatrices:backward];
    both.bidirectionalCombineMode = MPSRNNBidirectionalCombineModeConcatenate;
    [both encodeBidirectionalSequenceToCommandBuffer:cb sourceSequence:inputs() destinationForwardMatrices:joined destinationBackwardMatrices:nil];
    both.bidirectionalCombineMode = MPSRNNBidirectionalCombineModeAdd;
    [both encodeBidirectionalSequenceToCommandBuffer:cb sourceSequence:inputs() destinationForwardMatrices:added destinationBackwardMatrices:nil];
    [layer_of(lstm()) encodeSequenceToCommandBuffer:cb
                                     sourceMatrices:[[inputs() reverseObjectEnumerator] allObjects]
                                destinationMatrices:alone
                                recurrentInputState:nil
                              recurrentOutputStates:nil];
  });
  const std::vector<float> f = values_of([forward objectAtIndex:0]), b = values_of([backward objectAtIndex:0]);
  CHECK(near(f, {-0.0112428856, 0.2126276593}) && b == values_of([alone objectAtIndex:1]));
  CHECK((values_of([joined objectAtIndex:0]) == std::vector<float>{f[0], f[1], b[0], b[1]}));
  CHECK((values_of([added objectAtIndex:0]) == std::vector<float>{f[0] + b[0], f[1] + b[1]}));
}

TEST(recurrent_misuse_is_refused) {
  MPSRNNSingleGateDescriptor* d = single();
  d.recurrentWeights = gate(C(1), tanh_, {});
  CHECK_REFUSED(@"recurrent or memory weights", layer_of(d));
  MPSRNNMatrixInferenceLayer* layer = layer_of(single());
  CHECK_REFUSED(@"more rows", run(^(id<MTLCommandBuffer> cb) {
                  [layer encodeSequenceToCommandBuffer:cb
                                        sourceMatrices:@[ matrix_of(1, 2), matrix_of(2, 2) ]
                                   destinationMatrices:@[ matrix_of(1, 2), matrix_of(2, 2) ]
                                   recurrentInputState:nil
                                 recurrentOutputStates:nil];
                }));
}
