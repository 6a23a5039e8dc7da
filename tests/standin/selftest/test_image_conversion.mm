// What becomes of alpha.
#include "networks.hpp"

using namespace selftest;

namespace {

std::vector<float> converted(MPSAlphaType from, MPSAlphaType to, const std::vector<float>& pixel) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatRGBA32Float width:1 height:1 mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> source = [[device() newTextureWithDescriptor:d] autorelease], target = [[device() newTextureWithDescriptor:d] autorelease];
  [source replaceRegion:MTLRegionMake2D(0, 0, 1, 1) mipmapLevel:0 withBytes:pixel.data() bytesPerRow:16];
  CGFloat behind[3] = {1, 0, 0.5};
  MPSImageConversion* conversion =
      [[[MPSImageConversion alloc] initWithDevice:device() srcAlpha:from destAlpha:to backgroundColor:behind conversionInfo:nullptr] autorelease];
  CHECK(conversion.sourceAlpha == from && conversion.destinationAlpha == to);
  MPSImageConversion* copy = [[conversion copy] autorelease];
  run(^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb sourceTexture:source destinationTexture:target];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:target];
    [blit endEncoding];
  });
  std::vector<float> out(4);
  [target getBytes:out.data() bytesPerRow:16 fromRegion:MTLRegionMake2D(0, 0, 1, 1) mipmapLevel:0];
  return out;
}

}  // namespace

TEST(alpha_of_every_kind_to_every_other) {
  const auto straight = MPSAlphaTypeNonPremultiplied, opaque = MPSAlphaTypeAlphaIsOne, premultiplied = MPSAlphaTypePremultiplied;
  const std::vector<float> pixel = {0.5f, 0.25f, 1, 0.25f}, none = {0.5f, 0.25f, 1, 0};
  CHECK(near(converted(straight, straight, pixel), {0.5, 0.25, 1, 0.25}));
  CHECK(near(converted(straight, opaque, pixel), {0.875, 0.0625, 0.625, 1}));
  CHECK(near(converted(straight, premultiplied, pixel), {0.125, 0.0625, 0.25, 0.25}));
  CHECK(near(converted(opaque, straight, pixel), {0.5, 0.25, 1, 1}));
  CHECK(near(converted(opaque, opaque, pixel), {0.5, 0.25, 1, 1}));
  CHECK(near(converted(opaque, premultiplied, pixel), {0.5, 0.25, 1, 1}));
  CHECK(near(converted(premultiplied, straight, pixel), {2, 1, 4, 0.25}));
  CHECK(near(converted(premultiplied, straight, none), {0, 0, 0, 0}));
  CHECK(near(converted(premultiplied, opaque, pixel), {1.25, 0.25, 1.375, 1}));
  CHECK(near(converted(premultiplied, premultiplied, pixel), {0.5, 0.25, 1, 0.25}));
  MPSImageConversion* plain = [[[MPSImageConversion alloc] initWithDevice:device()] autorelease];
  CHECK(plain.sourceAlpha == opaque && plain.destinationAlpha == opaque);
  CHECK_REFUSED(@"no colour spaces", [[MPSImageConversion alloc] initWithDevice:device()
                                                                       srcAlpha:opaque
                                                                      destAlpha:opaque
                                                                backgroundColor:nullptr
                                                                 conversionInfo:reinterpret_cast<CGColorConversionInfoRef>(8)]);
}
