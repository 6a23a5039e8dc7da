// Kernels on rows of matrices, layers, copies and random matrices: a value each, and what they refuse.
#include "networks.hpp"

using namespace selftest;

namespace {

MPSVector* vector_of(std::initializer_list<float> values) {
  MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:values.size() dataType:MPSDataTypeFloat32];
  MPSVector* v = [[[MPSVector alloc] initWithDevice:device() descriptor:d] autorelease];
  std::copy(values.begin(), values.end(), static_cast<float*>(v.data.contents));
  return v;
}
template <class Kernel>
Kernel* kernel() {
  return [[[Kernel alloc] initWithDevice:device()] autorelease];
}

}  // namespace

TEST(rows_become_probabilities) {
  MPSMatrix *x = matrix_of(2, 3, {9, 1, 1, 9, 0, 1}), *y = matrix_of(2, 3, {0, 0, 0, 0, 0, 0});
  MPSMatrixSoftMax* k = kernel<MPSMatrixSoftMax>();
  k.sourceMatrixOrigin = k.resultMatrixOrigin = MTLOriginMake(0, 1, 0);
  k.sourceRows = 1;
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:x resultMatrix:y]; });
  CHECK(near(values_of(y), {0, 0.5, 0.5, 0, 0, 0}));
  MPSMatrixLogSoftMax* l = kernel<MPSMatrixLogSoftMax>();
  l.sourceMatrixOrigin = l.resultMatrixOrigin = MTLOriginMake(0, 1, 0);
  l.sourceRows = 1;
  run(^(id<MTLCommandBuffer> cb) { [[[l copy] autorelease] encodeToCommandBuffer:cb inputMatrix:x resultMatrix:y]; });
  CHECK(near(values_of(y), {0, std::log(0.5), std::log(0.5), 0, 0, 0}));
  k.resultMatrixOrigin = MTLOriginMake(0, 2, 0);
  CHECK_REFUSED(@"1 x 2 at (0, 2)", run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:x resultMatrix:y]; }));
}

TEST(the_largest_elements_are_found) {
  MPSMatrix *x = matrix_of(1, 7, {6, 3, 8, 1, 9, 4, 5}), *values = matrix_of(1, 3, {0, 0, 0});
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1 columns:3 rowBytes:12 dataType:MPSDataTypeUInt32];
  MPSMatrix* indices = [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
  MPSMatrixFindTopK* k = [[[MPSMatrixFindTopK alloc] initWithDevice:device() numberOfTopKValues:3] autorelease];
  k.sourceMatrixOrigin = MTLOriginMake(0, 2, 0);
  k.indexOffset = 2;
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:x resultIndexMatrix:indices resultValueMatrix:values]; });
  const auto* at = static_cast<const uint32_t*>(indices.data.contents);
  CHECK(near(values_of(values), {9, 8, 5}) && at[0] == 4 && at[1] == 2 && at[2] == 6);
  k.numberOfTopKValues = 17;
  CHECK_REFUSED(@"17 values of 5", run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:x resultIndexMatrix:indices resultValueMatrix:values]; }));
}

TEST(layers_on_matrices) {
  MPSMatrix *x = matrix_of(2, 2, {1, -2, 3, 4}), *w = matrix_of(2, 1, {1, 2}), *y = matrix_of(2, 1, {0, 0}), *z = matrix_of(2, 2, {0, 0, 0, 0});
  MPSMatrixFullyConnected* f = kernel<MPSMatrixFullyConnected>();
  [f setNeuronType:MPSCNNNeuronTypeReLU parameterA:0 parameterB:0 parameterC:0];
  run(^(id<MTLCommandBuffer> cb) { [f encodeToCommandBuffer:cb inputMatrix:x weightMatrix:w biasVector:vector_of({1}) resultMatrix:y]; });
  CHECK(near(values_of(y), {0, 12}));
  MPSMatrixNeuron* n = kernel<MPSMatrixNeuron>();
  n.alpha = 2;
  const float slopes[] = {0.5f, 0.25f};
  [n setNeuronToPReLUWithParametersA:[NSData dataWithBytes:slopes length:sizeof slopes]];
  run(^(id<MTLCommandBuffer> cb) { [n encodeToCommandBuffer:cb inputMatrix:x biasVector:nil resultMatrix:z]; });
  CHECK(near(values_of(z), {2, -1, 6, 8}));
  MPSMatrixBatchNormalization* b = kernel<MPSMatrixBatchNormalization>();
  b.computeStatistics = YES;
  MPSVector *mean = vector_of({0, 0}), *variance = vector_of({0, 0});
  run(^(id<MTLCommandBuffer> cb) {
    [b encodeToCommandBuffer:cb inputMatrix:x meanVector:mean varianceVector:variance gammaVector:nil betaVector:vector_of({0, 1}) resultMatrix:z];
  });
  CHECK(near(values_of(z), {-1, 0, 1, 2}));
  CHECK(static_cast<const float*>(mean.data.contents)[0] == 2 && static_cast<const float*>(variance.data.contents)[1] == 9);
  MPSMatrixSum* s = [[[MPSMatrixSum alloc] initWithDevice:device() count:2 rows:1 columns:2 transpose:YES] autorelease];
  [s setNeuronType:MPSCNNNeuronTypeNone parameterA:0 parameterB:0 parameterC:0];
  run(^(id<MTLCommandBuffer> cb) {
    [s encodeToCommandBuffer:cb sourceMatrices:[NSArray arrayWithObjects:x, x, nil] resultMatrix:y scaleVector:vector_of({1, 3}) offsetVector:nil biasVector:nil startIndex:0];
  });
  CHECK(near(values_of(y), {4, -8}));
  CHECK_REFUSED(@"neuron type", [f setNeuronType:MPSCNNNeuronTypePReLU parameterA:0 parameterB:0 parameterC:0]);
}

TEST(blocks_are_copied) {
  MPSMatrix *x = matrix_of(2, 2, {1, 2, 3, 4}), *y = matrix_of(3, 2, {0, 0, 0, 0, 0, 0});
  MPSMatrixCopy* k = [[[MPSMatrixCopy alloc] initWithDevice:device() copyRows:2 copyColumns:2 sourcesAreTransposed:NO destinationsAreTransposed:YES] autorelease];
  run(^(id<MTLCommandBuffer> cb) {
    [k encodeToCommandBuffer:cb copyDescriptor:[MPSMatrixCopyDescriptor descriptorWithSourceMatrix:x destinationMatrix:y offsets:MPSMatrixCopyOffsets{0, 0, 1, 0}]];
  });
  CHECK(near(values_of(y), {0, 0, 1, 3, 2, 4}));
  MPSMatrixCopyDescriptor* unset = [[[MPSMatrixCopyDescriptor alloc] initWithDevice:device() count:1] autorelease];
  CHECK_REFUSED(@"was not set", run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb copyDescriptor:unset]; }));
}

TEST(random_matrices_go_on) {
  MPSMatrix *a = matrix_of(1, 8, std::vector<float>(8, 7)), *b = matrix_of(1, 8, std::vector<float>(8, 7));
  const auto generator = [] {
    return [[[MPSMatrixRandomMTGP32 alloc] initWithDevice:device()
                                      destinationDataType:MPSDataTypeFloat32
                                                     seed:3
                                   distributionDescriptor:[MPSMatrixRandomDistributionDescriptor uniformDistributionDescriptorWithMinimum:0 maximum:1]] autorelease];
  };
  MPSMatrixRandomMTGP32* k = generator();
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb destinationMatrix:a]; });
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb destinationMatrix:b]; });
  CHECK(values_of(a) != values_of(b) && values_of(a)[0] >= 0 && values_of(a)[0] < 1);
  run(^(id<MTLCommandBuffer> cb) { [generator() encodeToCommandBuffer:cb destinationMatrix:b]; });
  CHECK(values_of(a) == values_of(b));
  MPSMatrix* odd = matrix_of(1, 3, {0, 0, 0});
  CHECK_REFUSED(@"3 columns", run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb destinationMatrix:odd]; }));
}
