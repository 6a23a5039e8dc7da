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

namespace {

std::vector<float> read_back(id<MTLTexture> t, NSUInteger channels) {
  std::vector<float> out(t.height * t.width * channels);
  [t getBytes:out.data() bytesPerRow:t.width * channels * 4 fromRegion:MTLRegionMake2D(0, 0, t.width, t.height) mipmapLevel:0];
  return out;
}
void encoded(void (^encode)(id<MTLCommandBuffer>), std::initializer_list<id<MTLTexture>> results) {
  const std::vector<id<MTLTexture>> all = results;
  run(^(id<MTLCommandBuffer> cb) {
    encode(cb);
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    for (id<MTLTexture> t : all) [blit synchronizeResource:t];
    [blit endEncoding];
  });
}

}  // namespace

TEST(guided_filter_fits_and_values) {
  const float ramp[2] = {0, 1};
  id<MTLTexture> gray = grays(1, 2, ramp), a = grays(1, 2, nullptr), b = grays(1, 2, nullptr), value = grays(1, 2, nullptr);
  MPSImageGuidedFilter* one = [[[MPSImageGuidedFilter alloc] initWithDevice:device() kernelDiameter:3] autorelease];
  CHECK(one.reconstructScale == 1 && one.reconstructOffset == 0);
  CHECK_REFUSED(@"epsilon", encoded(^(id<MTLCommandBuffer> cb) {
    [one encodeRegressionToCommandBuffer:cb sourceTexture:gray guidanceTexture:gray weightsTexture:nil destinationCoefficientsTextureA:a destinationCoefficientsTextureB:b];
  }, {}));
  one.epsilon = 0.25f;  // as large as the variance of the guide
  one.reconstructScale = 2;
  one.reconstructOffset = 1;
  MPSImageGuidedFilter* k = [[one copy] autorelease];
  CHECK(k.kernelDiameter == 3);
  encoded(^(id<MTLCommandBuffer> cb) {
    [k encodeRegressionToCommandBuffer:cb sourceTexture:gray guidanceTexture:gray weightsTexture:nil destinationCoefficientsTextureA:a destinationCoefficientsTextureB:b];
    [k encodeReconstructionToCommandBuffer:cb guidanceTexture:gray coefficientsTextureA:a coefficientsTextureB:b destinationTexture:value];
  }, {a, b, value});
  CHECK(near(read_back(a, 1), {0.5, 0.5}));
  CHECK(near(read_back(b, 1), {0.25, 0.25}));
  CHECK(near(read_back(value, 1), {1.5, 2.5}));
  // Under red alone, and of the first pixel alone.
  const float red[8] = {0, 0, 0, 1, 1, 0, 0, 1}, first[2] = {1, 0};
  id<MTLTexture> guide = grays(1, 2, red, MTLPixelFormatRGBA32Float, 16), models = grays(1, 2, nullptr, MTLPixelFormatRGBA32Float, 16), weights = grays(1, 2, first);
  encoded(^(id<MTLCommandBuffer> cb) {
    [k encodeRegressionToCommandBuffer:cb sourceTexture:gray guidanceTexture:guide weightsTexture:nil destinationCoefficientsTexture:models];
    [k encodeReconstructionToCommandBuffer:cb guidanceTexture:guide coefficientsTexture:models destinationTexture:value];
  }, {models, value});
  CHECK(near(read_back(models, 4), {0.5, 0, 0, 0.25, 0.5, 0, 0, 0.25}));
  CHECK(near(read_back(value, 1), {1.5, 2.5}));
  encoded(^(id<MTLCommandBuffer> cb) {
    [k encodeRegressionToCommandBuffer:cb sourceTexture:gray guidanceTexture:guide weightsTexture:weights destinationCoefficientsTexture:models];
  }, {models});
  CHECK(near(read_back(models, 4), {0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK_REFUSED(@"odd", [[MPSImageGuidedFilter alloc] initWithDevice:device() kernelDiameter:4]);
}
