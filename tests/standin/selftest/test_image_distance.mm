// The distance transform and the guided filter against values worked out by hand.
#include <cfloat>

#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLTexture> grays(NSUInteger height, NSUInteger width, const float* values, MTLPixelFormat format = MTLPixelFormatR32Float, NSUInteger pixel_bytes = 4) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:format width:width height:height mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> t = [[device() newTextureWithDescriptor:d] autorelease];
  if (values) [t replaceRegion:MTLRegionMake2D(0, 0, width, height) mipmapLevel:0 withBytes:values bytesPerRow:width * pixel_bytes];
  return t;
}
std::vector<float> distances(MPSImageEuclideanDistanceTransform* kernel, NSUInteger height, NSUInteger width, const std::vector<float>& values) {
  id<MTLTexture> from = grays(height, width, values.data()), to = grays(height, width, nullptr);
  MPSImageEuclideanDistanceTransform* copy = [[kernel copy] autorelease];
  run(^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:to];
    [blit endEncoding];
  });
  std::vector<float> out(height * width);
  [to getBytes:out.data() bytesPerRow:width * 4 fromRegion:MTLRegionMake2D(0, 0, width, height) mipmapLevel:0];
  return out;
}

}  // namespace

TEST(distances_to_what_is_not_0) {
  MPSImageEuclideanDistanceTransform* k = [[[MPSImageEuclideanDistanceTransform alloc] initWithDevice:device()] autorelease];
  CHECK(near({k.searchLimitRadius}, {FLT_MAX}));
  const std::vector<float> x = {0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0};  // the 7 lies at (0, 2) of 4 x 3
  const float diagonal = std::sqrt(5.0f);
  CHECK(near(distances(k, 3, 4, x), {2, diagonal, std::sqrt(8.0f), std::sqrt(13.0f), 1, std::sqrt(2.0f), diagonal, std::sqrt(10.0f), 0, 1, 2, 3}));
  k.searchLimitRadius = 2;
  const std::vector<float> near_ones = distances(k, 3, 4, x);
  CHECK(near_ones[0] == 2 && near_ones[1] > 2 && near_ones[1] != diagonal);
  CHECK(distances(k, 1, 3, {0, 0, 0})[0] > 3);
  k.edgeMode = MPSImageEdgeModeClamp;  // the border goes on
  k.offset = {-2, 5, 0};
  k.searchLimitRadius = FLT_MAX;
  CHECK(near(distances(k, 1, 3, {1, 0, 0}), {0, 0, 0}));
  k.edgeMode = MPSImageEdgeModeZero;
  CHECK(near(distances(k, 1, 3, {1, 0, 0}), {std::sqrt(29.0f), std::sqrt(26.0f), 5}));
  k.searchLimitRadius = 0;
  CHECK_REFUSED(@"searchLimitRadius", distances(k, 1, 3, {1, 0, 0}));
}
