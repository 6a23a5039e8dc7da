// Matrix and matrix-vector products, their windows, batches and types.
#include "networks.hpp"

using namespace selftest;

namespace {

MPSMatrixMultiplication* product(bool tl, bool tr, NSUInteger m, NSUInteger n, NSUInteger k, double alpha = 1, double beta = 0) {
  return [[[MPSMatrixMultiplication alloc] initWithDevice:device()
                                            transposeLeft:tl ? YES : NO
                                           transposeRight:tr ? YES : NO
                                               resultRows:m
                                            resultColumns:n
                                          interiorColumns:k
                                                    alpha:alpha
                                                     beta:beta] autorelease];
}
void multiply(MPSMatrixMultiplication* k, MPSMatrix* a, MPSMatrix* b, MPSMatrix* c) {
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb leftMatrix:a rightMatrix:b resultMatrix:c]; });
}

}  // namespace

TEST(products_transpose_and_accumulate) {
  MPSMatrix *a = matrix_of(2, 3, {1, 2, 3, 4, 5, 6}), *b = matrix_of(3, 2, {1, 0, 0, 1, 1, 1}), *c = matrix_of(2, 2, {1, 1, 1, 1});
  multiply(product(false, false, 2, 2, 3, 2, 10), a, b, c);
  CHECK(near(values_of(c), {18, 20, 30, 32}));
  MPSMatrix* d = matrix_of(3, 3, std::vector<float>(9, 0));
  multiply(product(true, true, 3, 3, 2), a, b, d);
  CHECK(near(values_of(d), {1, 4, 5, 2, 5, 7, 3, 6, 9}));
}

TEST(a_factor_of_zero_does_not_stop_nan) {
  MPSMatrix *a = matrix_of(1, 1, {2}), *c = matrix_of(1, 1, {NAN});
  multiply(product(false, false, 1, 1, 1, 1, 0), a, a, c);
  CHECK(std::isnan(values_of(c)[0]));
}

TEST(products_work_on_windows) {
  MPSMatrix *a = matrix_of(2, 3, {0, 0, 0, 0, 3, 4}), *c = matrix_of(2, 2, {0, 0, 0, 0});
  MPSMatrixMultiplication* k = product(false, true, 1, 1, 2);
  k.leftMatrixOrigin = k.rightMatrixOrigin = MTLOriginMake(1, 1, 0);  // row, column
  k.resultMatrixOrigin = MTLOriginMake(1, 0, 0);
  multiply([[k copy] autorelease], a, a, c);
  CHECK(near(values_of(c), {0, 0, 25, 0}));
  k.leftMatrixOrigin = MTLOriginMake(1, 2, 0);
  CHECK_REFUSED(@"1 x 2 at (1, 2)", multiply(k, a, a, c));
  k.leftMatrixOrigin = MTLOriginMake(0, 0, 1);
  CHECK_REFUSED(@"origin.z", multiply(k, a, a, c));
  k.leftMatrixOrigin = MTLOriginMake(0, 0, 0);
  k.batchSize = 0;
  CHECK_REFUSED(@"batchSize", multiply(k, a, a, c));
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:2 columns:3 rowBytes:12 dataType:MPSDataTypeInt32];
  MPSMatrix* integers = [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
  k.batchSize = 1;
  CHECK_REFUSED(@"data types", multiply(k, integers, integers, c));
}

TEST(products_go_through_a_batch) {
  const NSUInteger matrices = 3;
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1
                                                                 columns:2
                                                                matrices:matrices
                                                                rowBytes:8
                                                             matrixBytes:16
                                                                dataType:MPSDataTypeFloat32];
  MPSMatrix* a = [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
  auto* values = static_cast<float*>(a.data.contents);
  for (int i = 0; i < 10; ++i) values[i] = static_cast<float>(i);
  d = [MPSMatrixDescriptor matrixDescriptorWithRows:1 columns:1 matrices:matrices rowBytes:4 matrixBytes:4 dataType:MPSDataTypeFloat32];
  MPSMatrix* c = [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
  auto* results = static_cast<float*>(c.data.contents);
  results[0] = results[1] = results[2] = -1;
  MPSMatrixMultiplication* k = product(false, true, 1, 1, 2);
  k.batchStart = 1;
  multiply(k, a, a, c);
  CHECK(results[0] == -1 && results[1] == 41 && results[2] == 145);
}

TEST(vectors_multiply) {
  MPSMatrix* a = matrix_of(2, 3, {1, 2, 3, 4, 5, 6});
  const auto vector = [](std::initializer_list<float> values) {
    MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:values.size() dataType:MPSDataTypeFloat32];
    MPSVector* v = [[[MPSVector alloc] initWithDevice:device() descriptor:d] autorelease];
    std::copy(values.begin(), values.end(), static_cast<float*>(v.data.contents));
    return v;
  };
  MPSVector *x = vector({1, 1, 1}), *y = vector({1, 1});
  MPSMatrixVectorMultiplication* k = [[[MPSMatrixVectorMultiplication alloc] initWithDevice:device()
                                                                                  transpose:NO
                                                                                       rows:2
                                                                                    columns:3
                                                                                      alpha:1
                                                                                       beta:2] autorelease];
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:a inputVector:x resultVector:y]; });
  const auto* got = static_cast<float*>(y.data.contents);
  CHECK(got[0] == 8 && got[1] == 17);
  k = [[[MPSMatrixVectorMultiplication alloc] initWithDevice:device() transpose:YES rows:3 columns:2 alpha:1 beta:0] autorelease];
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb inputMatrix:a inputVector:vector({1, 1}) resultVector:x]; });
  got = static_cast<float*>(x.data.contents);
  CHECK(got[0] == 5 && got[1] == 7 && got[2] == 9);
}

TEST(matrices_refuse_what_does_not_fit) {
  id<MTLBuffer> b = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  const auto make = [&](NSUInteger rows, NSUInteger columns, NSUInteger bytes, NSUInteger offset) {
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:rows columns:columns rowBytes:bytes dataType:MPSDataTypeFloat32];
    return [[[MPSMatrix alloc] initWithBuffer:b offset:offset descriptor:d] autorelease];
  };
  (void)make(4, 3, 16, 4);  // the last row needs no padding
  CHECK_REFUSED(@"end after the buffer's 64", make(4, 4, 16, 4));
  CHECK_REFUSED(@"rowBytes 14", make(2, 3, 14, 0));
  CHECK_REFUSED(@"rowBytes 8", make(2, 3, 8, 0));
  CHECK_REFUSED(@"offset 2", make(1, 1, 4, 2));
  CHECK_REFUSED(@"a matrix of", make(0, 3, 16, 0));
  CHECK([MPSMatrixDescriptor rowBytesForColumns:5 dataType:MPSDataTypeFloat16] == 16);
}
