// Pictures as rows of matrices.
#include "networks.hpp"

using namespace selftest;

namespace {

MPSMatrix* matrix_of(MPSDataType type, NSUInteger rows, NSUInteger columns, id<MTLBuffer> buffer) {
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:rows columns:columns rowBytes:columns * 4 dataType:type];
  return [[[MPSMatrix alloc] initWithBuffer:buffer descriptor:d] autorelease];
}
MPSImage* image_of(NSUInteger width, NSUInteger channels) {
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32 width:width height:1 featureChannels:channels];
  return [[[MPSImage alloc] initWithDevice:device() imageDescriptor:d] autorelease];
}

}  // namespace

TEST(pictures_are_rows_of_matrices) {
  id<MTLBuffer> from = [[device() newBufferWithLength:96 options:MTLResourceStorageModeShared] autorelease];
  id<MTLBuffer> to = [[device() newBufferWithLength:96 options:MTLResourceStorageModeShared] autorelease];
  auto* x = static_cast<float*>([from contents]);
  for (int i = 0; i < 24; ++i) x[i] = static_cast<float>(i);
  MPSMatrix *source = matrix_of(MPSDataTypeFloat32, 3, 8, from), *target = matrix_of(MPSDataTypeFloat32, 3, 8, to);
  MPSMatrixCopyToImage* out = [[[[[MPSMatrixCopyToImage alloc] initWithDevice:device() dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels] autorelease] copy] autorelease];
  MPSImageCopyToMatrix* in = [[[[[MPSImageCopyToMatrix alloc] initWithDevice:device() dataLayout:MPSDataLayoutFeatureChannelsxHeightxWidth] autorelease] copy] autorelease];
  CHECK(out.dataLayout == MPSDataLayoutHeightxWidthxFeatureChannels && in.dataLayout == MPSDataLayoutFeatureChannelsxHeightxWidth);
  out.sourceMatrixOrigin = MTLOriginMake(1, 1, 0);
  in.destinationMatrixOrigin = MTLOriginMake(0, 2, 0);
  MPSImage *one = image_of(2, 3), *two = image_of(2, 3);
  MPSImageBatch* both = [NSArray arrayWithObjects:one, two, nil];
  run(^(id<MTLCommandBuffer> cb) {
    [out encodeBatchToCommandBuffer:cb sourceMatrix:source destinationImages:both];
    [in encodeBatchToCommandBuffer:cb sourceImages:both destinationMatrix:target];
  });
  const auto* y = static_cast<const float*>([to contents]);
  const float wanted[12] = {9, 12, 10, 13, 11, 14, 17, 20, 18, 21, 19, 22};
  for (int i = 0; i < 12; ++i) CHECK(y[i / 6 * 8 + 2 + i % 6] == wanted[i]);
  out.sourceMatrixOrigin = MTLOriginMake(0, 0, 0);
  run(^(id<MTLCommandBuffer> cb) {
    [out encodeToCommandBuffer:cb sourceMatrix:source destinationImage:one];
    [in encodeToCommandBuffer:cb sourceImage:one destinationMatrix:target];
  });
  CHECK(y[2] == 0 && y[3] == 3 && y[7] == 5);
  in.destinationMatrixOrigin = MTLOriginMake(2, 0, 0);
  CHECK_REFUSED(@"of a matrix of 3 x 8", run(^(id<MTLCommandBuffer> cb) { [in encodeBatchToCommandBuffer:cb sourceImages:both destinationMatrix:target]; }));
  CHECK_REFUSED(@"allowed: 0x10000020", run(^(id<MTLCommandBuffer> cb) {
                  [in encodeToCommandBuffer:cb sourceImage:one destinationMatrix:matrix_of(MPSDataTypeInt32, 3, 8, to)];
                }));
  CHECK_REFUSED(@"differ", run(^(id<MTLCommandBuffer> cb) {
                  [in encodeBatchToCommandBuffer:cb sourceImages:[NSArray arrayWithObjects:one, image_of(3, 3), nil] destinationMatrix:target];
                }));
}
