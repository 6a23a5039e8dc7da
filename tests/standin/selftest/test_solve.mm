// Factorizations and solvers: numbers, status, and what they refuse.
#include "networks.hpp"

using namespace selftest;

namespace {

MPSMatrix* indices_of(NSUInteger count) {
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1 columns:count rowBytes:count * 4 dataType:MPSDataTypeUInt32];
  return [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
}
id<MTLBuffer> status_of(int value) {
  id<MTLBuffer> status = [[device() newBufferWithLength:4 options:MTLResourceStorageModeShared] autorelease];
  *static_cast<int*>(status.contents) = value;
  return status;
}
int number_in(id<MTLBuffer> status) { return *static_cast<int*>(status.contents); }

}  // namespace

TEST(lu_interchanges_and_solves) {
  MPSMatrix *a = matrix_of(2, 2, {0, 2, 4, 6}), *f = matrix_of(2, 2, {0, 0, 0, 0}), *p = indices_of(2);
  id<MTLBuffer> status = status_of(7);
  MPSMatrixDecompositionLU* lu = [[[MPSMatrixDecompositionLU alloc] initWithDevice:device() rows:2 columns:2] autorelease];
  run(^(id<MTLCommandBuffer> cb) { [[[lu copy] autorelease] encodeToCommandBuffer:cb sourceMatrix:a resultMatrix:f pivotIndices:p status:status]; });
  CHECK(near(values_of(f), {4, 6, 0, 2}));
  const auto* pivots = static_cast<const unsigned*>(p.data.contents);
  CHECK(pivots[0] == 1 && pivots[1] == 1);
  CHECK(number_in(status) == 7);  // success is not told
  MPSMatrix *b = matrix_of(2, 1, {2, 10}), *x = matrix_of(2, 1, {0, 0});
  for (const bool transpose : {false, true}) {
    MPSMatrixSolveLU* solve = [[[MPSMatrixSolveLU alloc] initWithDevice:device() transpose:transpose ? YES : NO order:2 numberOfRightHandSides:1] autorelease];
    run(^(id<MTLCommandBuffer> cb) {
      [[[solve copy] autorelease] encodeToCommandBuffer:cb sourceMatrix:f rightHandSideMatrix:b pivotIndices:p solutionMatrix:x];
    });
    CHECK(near(values_of(x), transpose ? std::vector<double>{3.5, 0.5} : std::vector<double>{1, 1}));
  }
  MPSMatrix* singular = matrix_of(2, 2, {1, 2, 2, 4});
  run(^(id<MTLCommandBuffer> cb) { [lu encodeToCommandBuffer:cb sourceMatrix:singular resultMatrix:singular pivotIndices:p status:status]; });
  CHECK(number_in(status) == MPSMatrixDecompositionStatusSingular);
}

TEST(cholesky_factors_and_solves) {
  MPSMatrix *a = matrix_of(2, 2, {4, 2, 2, 5}), *f = matrix_of(2, 2, {0, 0, 0, 0}), *b = matrix_of(2, 1, {8, 8}), *x = matrix_of(2, 1, {0, 0});
  for (const bool lower : {true, false}) {
    MPSMatrixDecompositionCholesky* k = [[[MPSMatrixDecompositionCholesky alloc] initWithDevice:device() lower:lower ? YES : NO order:2] autorelease];
    run(^(id<MTLCommandBuffer> cb) { [[[k copy] autorelease] encodeToCommandBuffer:cb sourceMatrix:a resultMatrix:f status:nil]; });
    const std::vector<float> got = values_of(f);
    CHECK(got[0] == 2 && got[lower ? 2 : 1] == 1 && got[3] == 2 && std::isnan(got[lower ? 1 : 2]));
    MPSMatrixSolveCholesky* solve = [[[MPSMatrixSolveCholesky alloc] initWithDevice:device() upper:lower ? NO : YES order:2 numberOfRightHandSides:1] autorelease];
    run(^(id<MTLCommandBuffer> cb) { [[[solve copy] autorelease] encodeToCommandBuffer:cb sourceMatrix:f rightHandSideMatrix:b solutionMatrix:x]; });
    CHECK(near(values_of(x), {1.5, 1}));
  }
  id<MTLBuffer> status = status_of(0);
  MPSMatrix* indefinite = matrix_of(2, 2, {1, 2, 2, 1});
  MPSMatrixDecompositionCholesky* k = [[[MPSMatrixDecompositionCholesky alloc] initWithDevice:device() lower:YES order:2] autorelease];
  run(^(id<MTLCommandBuffer> cb) { [k encodeToCommandBuffer:cb sourceMatrix:indefinite resultMatrix:f status:status]; });
  CHECK(number_in(status) == MPSMatrixDecompositionStatusNonPositiveDefinite && values_of(f)[3] == -3);
}

TEST(triangles_are_solved_from_both_sides) {
  MPSMatrix *a = matrix_of(2, 2, {2, NAN, 1, 4}), *b = matrix_of(2, 2, {2, 4, 9, 6}), *x = matrix_of(2, 2, {0, 0, 0, 0});
  const auto solve = [&](bool right, bool transpose, bool unit) {
    MPSMatrixSolveTriangular* k = [[[MPSMatrixSolveTriangular alloc] initWithDevice:device()
                                                                              right:right ? YES : NO
                                                                              upper:NO
                                                                          transpose:transpose ? YES : NO
                                                                               unit:unit ? YES : NO
                                                                              order:2
                                                             numberOfRightHandSides:2
                                                                              alpha:2] autorelease];
    run(^(id<MTLCommandBuffer> cb) { [[[k copy] autorelease] encodeToCommandBuffer:cb sourceMatrix:a rightHandSideMatrix:b solutionMatrix:x]; });
    return values_of(x);
  };
  CHECK(near(solve(false, false, false), {2, 4, 4, 2}));
  CHECK(near(solve(false, true, false), {-0.25, 2.5, 4.5, 3}));
  CHECK(near(solve(true, false, false), {1, 2, 7.5, 3}));
  CHECK(near(solve(false, false, true), {4, 8, 14, 4}));
}

TEST(factorizations_refuse_what_does_not_fit) {
  MPSMatrix *a = matrix_of(3, 3, std::vector<float>(9, 1)), *b = matrix_of(3, 3, std::vector<float>(9, 1)), *p = indices_of(2);
  MPSMatrixDecompositionLU* lu = [[[MPSMatrixDecompositionLU alloc] initWithDevice:device() rows:3 columns:3] autorelease];
  const auto factor = [&](MPSMatrix* from, MPSMatrix* to, MPSMatrix* pivots, id<MTLBuffer> status) {
    run(^(id<MTLCommandBuffer> cb) { [lu encodeToCommandBuffer:cb sourceMatrix:from resultMatrix:to pivotIndices:pivots status:status]; });
  };
  CHECK_REFUSED(@"1 x 3 at (0, 0)", factor(a, b, p, nil));
  CHECK_REFUSED(@"data type", factor(a, b, b, nil));
  id<MTLBuffer> hidden = [[device() newBufferWithLength:4 options:MTLResourceStorageModePrivate] autorelease];
  CHECK_REFUSED(@"a status of 4 bytes", factor(a, b, indices_of(3), hidden));
  lu.sourceMatrixOrigin = MTLOriginMake(1, 0, 0);
  CHECK_REFUSED(@"3 x 3 at (1, 0)", factor(a, b, indices_of(3), nil));
  lu = [[[MPSMatrixDecompositionLU alloc] initWithDevice:device() rows:2 columns:2] autorelease];
  lu.sourceMatrixOrigin = MTLOriginMake(1, 1, 0);
  CHECK_REFUSED(@"overlap in part", factor(a, a, p, nil));
  MPSMatrixSolveCholesky* solve = [[[MPSMatrixSolveCholesky alloc] initWithDevice:device() upper:NO order:3 numberOfRightHandSides:3] autorelease];
  CHECK_REFUSED(@"the solution overlaps", run(^(id<MTLCommandBuffer> cb) { [solve encodeToCommandBuffer:cb sourceMatrix:a rightHandSideMatrix:b solutionMatrix:b]; }));
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:3 columns:3 matrices:2 rowBytes:12 matrixBytes:36 dataType:MPSDataTypeFloat32];
  MPSMatrix* two = [[[MPSMatrix alloc] initWithDevice:device() descriptor:d] autorelease];
  CHECK_REFUSED(@"2 matrices", run(^(id<MTLCommandBuffer> cb) { [solve encodeToCommandBuffer:cb sourceMatrix:two rightHandSideMatrix:a solutionMatrix:b]; }));
  CHECK_REFUSED(@"order 0", [[MPSMatrixDecompositionCholesky alloc] initWithDevice:device() lower:YES order:0]);
}
