// Pyramids in mipmapped textures against values worked out by hand, and what they refuse.
#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLTexture> mipmapped(NSUInteger width, NSUInteger levels, MTLTextureUsage more = MTLTextureUsagePixelFormatView) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR32Float width:width height:1 mipmapped:NO];
  d.mipmapLevelCount = levels;
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite | more;
  return [[device() newTextureWithDescriptor:d] autorelease];
}
void put(id<MTLTexture> t, NSUInteger level, const std::vector<float>& row) {
  [t replaceRegion:MTLRegionMake2D(0, 0, row.size(), 1) mipmapLevel:level withBytes:row.data() bytesPerRow:row.size() * 4];
}
std::vector<float> get(id<MTLTexture> t, NSUInteger level, NSUInteger width) {
  std::vector<float> row(width);
  [t getBytes:row.data() bytesPerRow:width * 4 fromRegion:MTLRegionMake2D(0, 0, width, 1) mipmapLevel:level];
  return row;
}
void run_on(id<MTLTexture> result, void (^encode)(id<MTLCommandBuffer>)) {
  run(^(id<MTLCommandBuffer> cb) {
    encode(cb);
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:result];
    [blit endEncoding];
  });
}

}  // namespace

TEST(gaussian_pyramids_keep_even_places) {
  id<MTLTexture> t = mipmapped(8, 3);
  CHECK(t.mipmapLevelCount == 3);
  put(t, 0, {0, 0, 16, 0, 0, 0, 0, 16});
  MPSImageGaussianPyramid* pyramid = [[[[MPSImageGaussianPyramid alloc] initWithDevice:device()] autorelease] copy];
  CHECK(pyramid.kernelWidth == 5 && pyramid.kernelHeight == 5);
  pyramid.edgeMode = MPSImageEdgeModeClamp;
  run_on(t, ^(id<MTLCommandBuffer> cb) {
    id<MTLTexture> all = t;
    CHECK([pyramid encodeToCommandBuffer:cb inPlaceTexture:&all fallbackCopyAllocator:nil]);
  });
  CHECK(near(get(t, 0, 8), {0, 0, 16, 0, 0, 0, 0, 16}));
  CHECK(near(get(t, 1, 4), {1, 6, 1, 5}));
  CHECK(near(get(t, 2, 2), {2.25f, 3.5f}));  // (11 * 1 + 4 * 6 + 1) / 16, (1 + 4 * 6 + 6 * 1 + 5 * 5) / 16
  [pyramid release];
}

TEST(laplacian_pyramids_and_back) {
  const float third[3] = {0.5f, 1, 0.5f};
  MPSImageLaplacianPyramidSubtract* subtract = [[[MPSImageLaplacianPyramidSubtract alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1 weights:third] autorelease];
  MPSImageLaplacianPyramidAdd* add = [[[MPSImageLaplacianPyramidAdd alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1 weights:third] autorelease];
  CHECK(subtract.laplacianBias == 0 && subtract.laplacianScale == 1);
  subtract.laplacianBias = add.laplacianBias = 1;
  subtract.laplacianScale = add.laplacianScale = 2;
  subtract = [[subtract copy] autorelease];
  id<MTLTexture> gaussian = mipmapped(5, 3), laplacian = mipmapped(5, 3), restored = mipmapped(5, 3);
  put(gaussian, 0, {1, 2, 3, 4, 5});
  put(gaussian, 1, {2, 4});
  put(gaussian, 2, {3});
  run_on(laplacian, ^(id<MTLCommandBuffer> cb) {
    [subtract encodeToCommandBuffer:cb sourceTexture:gaussian destinationTexture:laplacian];
  });
  // Zeros between 2 and 4; the fifth place shows none (zero beyond the border).
  CHECK(near(get(laplacian, 0, 5), {1 + 2 * (1 - 2.0f), 1 + 2 * (2 - 3.0f), 1 + 2 * (3 - 4.0f), 1 + 2 * (4 - 2.0f), 1 + 2 * 5.0f}));
  CHECK(near(get(laplacian, 1, 2), {1 + 2 * (2 - 3.0f), 1 + 2 * (4 - 1.5f)}));
  put(laplacian, 2, {3});
  run_on(restored, ^(id<MTLCommandBuffer> cb) {
    [add encodeToCommandBuffer:cb sourceTexture:laplacian destinationTexture:restored];
  });
  CHECK(near(get(restored, 0, 5), {1, 2, 3, 4, 5}));
  CHECK(near(get(restored, 1, 2), {2, 4}));
}

TEST(pyramids_refuse_what_they_cannot_do) {
  MPSImageGaussianPyramid* gaussian = [[[MPSImageGaussianPyramid alloc] initWithDevice:device() centerWeight:0.4f] autorelease];
  MPSImageLaplacianPyramidAdd* add = [[[MPSImageLaplacianPyramidAdd alloc] initWithDevice:device()] autorelease];
  id<MTLTexture> t = mipmapped(8, 3), plain = mipmapped(8, 3, MTLTextureUsageUnknown), small = mipmapped(8, 1), other = mipmapped(4, 3);
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  CHECK_REFUSED(@"in place only", [gaussian encodeToCommandBuffer:cb sourceTexture:t destinationTexture:t]);
  CHECK_REFUSED(@"read, write and views", id<MTLTexture> p = plain; [gaussian encodeToCommandBuffer:cb inPlaceTexture:&p fallbackCopyAllocator:nil]);
  CHECK_REFUSED(@"does not work in place", id<MTLTexture> p = t; [add encodeToCommandBuffer:cb inPlaceTexture:&p fallbackCopyAllocator:nil]);
  CHECK_REFUSED(@"in place", [add encodeToCommandBuffer:cb sourceTexture:t destinationTexture:t]);
  CHECK_REFUSED(@"3 levels to 1", [add encodeToCommandBuffer:cb sourceTexture:t destinationTexture:small]);
  CHECK_REFUSED(@"other sizes", [add encodeToCommandBuffer:cb sourceTexture:t destinationTexture:other]);
  CHECK_REFUSED(@"one level", [add encodeToCommandBuffer:cb sourceTexture:small destinationTexture:t]);
  const float even[2] = {1, 1};
  CHECK_REFUSED(@"odd numbers", [[MPSImageGaussianPyramid alloc] initWithDevice:device() kernelWidth:2 kernelHeight:1 weights:even]);
}

TEST(levels_of_textures) {
  id<MTLTexture> t = mipmapped(8, 3);
  put(t, 1, {1, 2, 3, 4});
  id<MTLTexture> view = [[t newTextureViewWithPixelFormat:t.pixelFormat textureType:MTLTextureType2D levels:NSMakeRange(1, 2) slices:NSMakeRange(0, 1)] autorelease];
  CHECK(view.width == 4 && view.height == 1 && view.mipmapLevelCount == 2 && view.parentRelativeLevel == 1);
  CHECK(near(get(view, 0, 4), {1, 2, 3, 4}));
  id<MTLTexture> to = mipmapped(8, 3);
  run_on(to, ^(id<MTLCommandBuffer> cb) {
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit copyFromTexture:t toTexture:to];
    [blit endEncoding];
  });
  CHECK(near(get(to, 1, 4), {1, 2, 3, 4}));
  CHECK_REFUSED(@"levels 2 + 2 of 3", [t newTextureViewWithPixelFormat:t.pixelFormat textureType:MTLTextureType2D levels:NSMakeRange(2, 2) slices:NSMakeRange(0, 1)]);
  CHECK_REFUSED(@"5 levels of a texture of 8 x 1", mipmapped(8, 5));
  CHECK_REFUSED(@"level 3 of 3", get(t, 3, 1));
}
