// Arithmetic of two images and reductions against values worked out by hand.
#include <cmath>

#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLTexture> texture_of(NSUInteger height, NSUInteger width, const std::vector<float>& values = {}) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR32Float width:width height:height mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> t = [[device() newTextureWithDescriptor:d] autorelease];
  if (!values.empty()) [t replaceRegion:MTLRegionMake2D(0, 0, width, height) mipmapLevel:0 withBytes:values.data() bytesPerRow:width * 4];
  return t;
}
void encode_and_synchronize(id<MTLTexture> t, void (^encode)(id<MTLCommandBuffer>)) {
  run(^(id<MTLCommandBuffer> cb) {
    encode(cb);
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:t];
    [blit endEncoding];
  });
}
std::vector<float> values_of(id<MTLTexture> t) {
  std::vector<float> out(t.height * t.width);
  [t getBytes:out.data() bytesPerRow:t.width * 4 fromRegion:MTLRegionMake2D(0, 0, t.width, t.height) mipmapLevel:0];
  return out;
}
// Rows through a copy of the kernel.
std::vector<float> combined(MPSBinaryImageKernel* kernel, const std::vector<float>& a, const std::vector<float>& b) {
  id<MTLTexture> primary = texture_of(1, a.size(), a), secondary = texture_of(1, b.size(), b), to = texture_of(1, a.size());
  MPSBinaryImageKernel* copy = [[kernel copy] autorelease];
  encode_and_synchronize(to, ^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb primaryTexture:primary secondaryTexture:secondary destinationTexture:to];
  });
  return values_of(to);
}
std::vector<float> reduced(MPSImageReduceUnary* kernel, NSUInteger height, NSUInteger width, const std::vector<float>& x, NSUInteger out_height, NSUInteger out_width) {
  id<MTLTexture> from = texture_of(height, width, x), to = texture_of(out_height, out_width);
  MPSImageReduceUnary* copy = [[kernel copy] autorelease];
  encode_and_synchronize(to, ^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
  });
  return values_of(to);
}

}  // namespace

TEST(arithmetic_of_rows) {
  const std::vector<float> x = {1, 2, -3}, y = {4, 0, 2};
  CHECK(near(combined([[[MPSImageAdd alloc] initWithDevice:device()] autorelease], x, y), {5, 2, -1}));
  MPSImageSubtract* subtract = [[[MPSImageSubtract alloc] initWithDevice:device()] autorelease];
  CHECK(subtract.primaryScale == 1 && subtract.secondaryStrideInPixels.width == 1 && std::isfinite(subtract.maximumValue));
  subtract.primaryScale = 2;
  subtract.secondaryScale = 0.5f;
  subtract.bias = 1;
  subtract.minimumValue = -5;
  subtract.maximumValue = 4;
  CHECK(near(combined(subtract, x, y), {1, 4, -5}));
  MPSImageMultiply* multiply = [[[MPSImageMultiply alloc] initWithDevice:device()] autorelease];
  multiply.secondaryStrideInPixels = MTLSizeMake(0, 0, 1);
  multiply.secondaryOffset = {2, 0, 0};
  CHECK(near(combined(multiply, x, y), {2, 4, -6}));
  MPSImageDivide* divide = [[[MPSImageDivide alloc] initWithDevice:device()] autorelease];
  divide.primaryOffset = {1, 0, 0};
  divide.primaryEdgeMode = MPSImageEdgeModeClamp;
  divide.secondaryOffset = {-1, 0, 0};
  divide.secondaryEdgeMode = MPSImageEdgeModeClamp;
  CHECK(near(combined(divide, x, {4, 2, 1}), {0.5, -0.75, -1.5}));
}

TEST(arithmetic_of_images) {
  MPSImage *a = image_of(1, 2, 1, {1, 2}), *b = image_of(1, 2, 1, {10, 20}), *to = image_of(1, 2, 1);
  MPSImageAdd* add = [[[MPSImageAdd alloc] initWithDevice:device()] autorelease];
  run(^(id<MTLCommandBuffer> cb) {
    [add encodeToCommandBuffer:cb primaryImage:a secondaryImage:b destinationImage:to];
  });
  CHECK(near(::values_of(to), {11, 22}));
}

TEST(arithmetic_refuses_what_apple_cannot) {
  MPSImageAdd* add = [[[MPSImageAdd alloc] initWithDevice:device()] autorelease];
  add.primaryStrideInPixels = MTLSizeMake(2, 1, 1);
  CHECK_REFUSED(@"stride of 2", combined(add, {1, 2}, {1, 2}));
  add.primaryStrideInPixels = MTLSizeMake(1, 1, 1);
  add.clipRect = MTLRegionMake2D(5, 0, 1, 1);
  CHECK_REFUSED(@"clipRect", combined(add, {1, 2}, {1, 2}));
}

TEST(rows_and_columns_reduced) {
  const std::vector<float> x = {1, 5, 3, -2, 0, 8};  // two rows of three
  CHECK(near(reduced([[[MPSImageReduceRowMin alloc] initWithDevice:device()] autorelease], 2, 3, x, 2, 1), {1, -2}));
  CHECK(near(reduced([[[MPSImageReduceRowMax alloc] initWithDevice:device()] autorelease], 2, 3, x, 2, 1), {5, 8}));
  CHECK(near(reduced([[[MPSImageReduceRowSum alloc] initWithDevice:device()] autorelease], 2, 3, x, 2, 1), {9, 6}));
  CHECK(near(reduced([[[MPSImageReduceRowMean alloc] initWithDevice:device()] autorelease], 2, 3, x, 2, 1), {3, 2}));
  CHECK(near(reduced([[[MPSImageReduceColumnMin alloc] initWithDevice:device()] autorelease], 2, 3, x, 1, 3), {-2, 0, 3}));
  CHECK(near(reduced([[[MPSImageReduceColumnMax alloc] initWithDevice:device()] autorelease], 2, 3, x, 1, 3), {1, 5, 8}));
  CHECK(near(reduced([[[MPSImageReduceColumnSum alloc] initWithDevice:device()] autorelease], 2, 3, x, 1, 3), {-1, 5, 11}));
  MPSImageReduceColumnMean* mean = [[[MPSImageReduceColumnMean alloc] initWithDevice:device()] autorelease];
  mean.clipRectSource = MTLRegionMake2D(1, 0, 2, 2);
  CHECK(near(reduced(mean, 2, 3, x, 1, 2), {2.5, 5.5}));
  CHECK_REFUSED(@"no room", reduced(mean, 2, 3, x, 1, 1));
}
