// Image filters against values worked out by hand or from another formula.
#include "networks.hpp"

using namespace selftest;

namespace {

// One channel of float32, in a texture of its own.
id<MTLTexture> texture_of(NSUInteger height, NSUInteger width, std::vector<float> values = {}, NSUInteger channels = 1) {
  MTLTextureDescriptor* d =
      [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:channels == 1 ? MTLPixelFormatR32Float : MTLPixelFormatRGBA32Float
                                                         width:width
                                                        height:height
                                                     mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> t = [[device() newTextureWithDescriptor:d] autorelease];
  values.resize(height * width * channels, -7);
  [t replaceRegion:MTLRegionMake2D(0, 0, width, height) mipmapLevel:0 withBytes:values.data() bytesPerRow:width * channels * 4];
  return t;
}
std::vector<float> values_of(id<MTLTexture> t, NSUInteger channels = 1) {
  std::vector<float> values(t.width * t.height * channels);
  [t getBytes:values.data() bytesPerRow:t.width * channels * 4 fromRegion:MTLRegionMake2D(0, 0, t.width, t.height) mipmapLevel:0];
  return values;
}
void filter(MPSUnaryImageKernel* kernel, id<MTLTexture> from, id<MTLTexture> to) {
  run(^(id<MTLCommandBuffer> cb) {
    [kernel encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:to];
    [blit endEncoding];
  });
}

}  // namespace

TEST(convolution_correlates_and_keeps_what_is_clipped) {
  const float weights[6 + 3] = {0, 0, 0, 0, 0, 1, 0, 0, 0};  // the pixel to the right
  MPSImageConvolution* k =
      [[[MPSImageConvolution alloc] initWithDevice:device() kernelWidth:3 kernelHeight:3 weights:weights] autorelease];
  k.bias = 0.5f;
  id<MTLTexture> src = texture_of(2, 3, {1, 2, 3, 4, 5, 6}), dst = texture_of(2, 3);
  filter(k, src, dst);
  CHECK(near(values_of(dst), {2.5, 3.5, 0.5, 5.5, 6.5, 0.5}));
  k.edgeMode = MPSImageEdgeModeClamp;
  k.clipRect = MTLRegionMake2D(1, 1, 7, 7);
  k.offset = {1, 0, 0};  // of clipRect's corner in the source
  MPSImageConvolution* copy = [[k copy] autorelease];
  dst = texture_of(2, 3);
  filter(copy, src, dst);
  CHECK(near(values_of(dst), {-7, -7, -7, -7, 3.5, 3.5}));
  const MPSRegion r = [k sourceRegionForDestinationSize:MTLSizeMake(3, 2, 1)];
  CHECK(r.origin.x == 0 && r.origin.y == -1 && r.size.width == 4 && r.size.height == 3);
}

TEST(blur_keeps_flat_pictures_and_spreads_a_point) {
  MPSImageGaussianBlur* k = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:1] autorelease];
  k.edgeMode = MPSImageEdgeModeClamp;
  id<MTLTexture> dst = texture_of(3, 4);
  filter(k, texture_of(3, 4, std::vector<float>(12, 0.25f)), dst);
  CHECK(near(values_of(dst), std::vector<double>(12, 0.25)));
  std::vector<float> point(19 * 19);
  point[9 * 19 + 9] = 1;
  dst = texture_of(19, 19);
  filter(k, texture_of(19, 19, point), dst);
  const std::vector<float> got = values_of(dst);
  CHECK(std::abs(got[9 * 19 + 10] / got[9 * 19 + 9] - std::exp(-0.5)) < 1e-6);
  CHECK(std::abs(got[7 * 19 + 8] / got[9 * 19 + 9] - std::exp(-2.5)) < 1e-6);
  CHECK(got[9 * 19 + 13] > 0 && got[9 * 19 + 14] == 0);  // radius 4
}

TEST(sobel_is_the_length_of_the_gradient) {
  MPSImageSobel* k = [[[MPSImageSobel alloc] initWithDevice:device()] autorelease];
  k.edgeMode = MPSImageEdgeModeClamp;
  std::vector<float> ramp;
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 3; ++x) ramp.push_back(static_cast<float>(3 * x + 4 * y));
  id<MTLTexture> dst = texture_of(3, 3);
  filter(k, texture_of(3, 3, ramp), dst);
  CHECK(std::abs(values_of(dst)[4] - 8 * 5) < 1e-5);
  std::vector<float> colour;
  for (float v : ramp) colour.insert(colour.end(), {v, 0, 0, 1});
  filter(k, texture_of(3, 3, colour, 4), dst);
  CHECK(std::abs(values_of(dst)[4] - 8 * 5 * 0.299) < 1e-5);
}

TEST(scaling_keeps_ramps) {
  std::vector<float> ramp;
  for (int x = 0; x < 16; ++x) ramp.push_back(static_cast<float>(x) + 0.5f);
  for (Class c : {[MPSImageLanczosScale class], [MPSImageBilinearScale class]}) {
    MPSImageScale* k = [[(MPSImageScale*)[c alloc] initWithDevice:device()] autorelease];
    k.edgeMode = MPSImageEdgeModeClamp;
    id<MTLTexture> dst = texture_of(1, 32);
    filter(k, texture_of(1, 16, ramp), dst);
    CHECK(std::abs(values_of(dst)[16] - 8.25) < 0.05);
    const MPSScaleTransform shifted = {2, 1, -10, 0};
    k.scaleTransform = &shifted;
    filter(k, texture_of(1, 16, ramp), dst);
    CHECK(std::abs(values_of(dst)[6] - 8.25) < 0.05);
    k.scaleTransform = nullptr;
    dst = texture_of(1, 4);
    filter(k, texture_of(1, 16, ramp), dst);
    CHECK(std::abs(values_of(dst)[1] - 6) < 0.1);
  }
}

TEST(statistics_stand_beside_each_other) {
  id<MTLTexture> src = texture_of(2, 3, {1, 2, 6, 1, 2, 6});
  MPSImageStatisticsMeanAndVariance* k = [[[MPSImageStatisticsMeanAndVariance alloc] initWithDevice:device()] autorelease];
  id<MTLTexture> dst = texture_of(1, 3);
  filter(k, src, dst);
  CHECK(near(values_of(dst), {3, 14.0 / 3, -7}));
  k.clipRectSource = MTLRegionMake2D(1, 0, 9, 1);
  k.clipRect = MTLRegionMake2D(1, 0, 2, 1);
  filter([[k copy] autorelease], src, dst = texture_of(1, 3));
  CHECK(near(values_of(dst), {-7, 4, 4}));
  filter([[[MPSImageStatisticsMinAndMax alloc] initWithDevice:device()] autorelease], src, dst);
  CHECK(near(values_of(dst), {1, 6, 4}));
  filter([[[MPSImageStatisticsMean alloc] initWithDevice:device()] autorelease], src, dst = texture_of(1, 1));
  CHECK(near(values_of(dst), {3}));
  k.clipRect = MTLRegionMake2D(2, 0, 2, 1);
  CHECK_REFUSED(@"1 pixels wide", filter(k, src, texture_of(1, 3)));
  k.clipRect = MPSRectNoClip;
  k.clipRectSource = MTLRegionMake2D(3, 0, 1, 1);
  CHECK_REFUSED(@"nothing of the source", filter(k, src, dst));
}

TEST(filters_refuse_what_they_cannot_read) {
  MPSImageGaussianBlur* k = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:1] autorelease];
  id<MTLTexture> one = texture_of(2, 2), other = texture_of(2, 2);
  CHECK_REFUSED(@"overlap", filter(k, one, one));
  k.edgeMode = MPSImageEdgeModeMirror;
  CHECK_REFUSED(@"edge mode", filter(k, one, other));
  k.edgeMode = MPSImageEdgeModeZero;
  k.clipRect = MTLRegionMake2D(2, 0, 1, 1);
  CHECK_REFUSED(@"nothing of the destination", filter(k, one, other));
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR8Uint width:2 height:2 mipmapped:NO];
  k.clipRect = MPSRectNoClip;
  CHECK_REFUSED(@"integers", filter(k, [[device() newTextureWithDescriptor:d] autorelease], other));
  d.pixelFormat = MTLPixelFormatR8Unorm;
  CHECK_REFUSED(@"usage", filter(k, one, [[device() newTextureWithDescriptor:d] autorelease]));
  d.textureType = MTLTextureType2DArray;
  CHECK_REFUSED(@"not 2D", filter(k, [[device() newTextureWithDescriptor:d] autorelease], other));
  CHECK_REFUSED(@"sigma", [[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:-1]);
  MPSImageLanczosScale* scale = [[[MPSImageLanczosScale alloc] initWithDevice:device()] autorelease];
  scale.offset = {1, 0, 0};
  CHECK_REFUSED(@"offset", filter(scale, one, other));
}

TEST(in_place_takes_another_texture) {
  MPSImageGaussianBlur* k = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:0] autorelease];
  __block id<MTLTexture> t = [texture_of(1, 2, {3, 4}) retain];
  id<MTLTexture> before = t;
  run(^(id<MTLCommandBuffer> cb) {
    CHECK(![k encodeToCommandBuffer:cb inPlaceTexture:&t fallbackCopyAllocator:nil]);
    CHECK([k encodeToCommandBuffer:cb
                    inPlaceTexture:&t
             fallbackCopyAllocator:^(MPSKernel*, id<MTLCommandBuffer>, id<MTLTexture> source) {
               return [texture_of(source.height, source.width) retain];
             }]);
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:t];
    [blit endEncoding];
  });
  CHECK(t != before && near(values_of(t), {3, 4}));
  [t release];
}
