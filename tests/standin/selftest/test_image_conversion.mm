// What becomes of alpha, and of colours.
#include "networks.hpp"

using namespace selftest;

namespace {

struct Conversion {
  CGColorConversionInfoRef info;
  Conversion(CFStringRef source, CFStringRef destination) {
    CGColorSpaceRef from = CGColorSpaceCreateWithName(source), to = CGColorSpaceCreateWithName(destination);
    info = CGColorConversionInfoCreate(from, to);
    CGColorSpaceRelease(from);
    CGColorSpaceRelease(to);
  }
  Conversion(const Conversion&) = delete;
  ~Conversion() { CFRelease(info); }
};

std::vector<float> converted(MPSAlphaType from, MPSAlphaType to, const std::vector<float>& pixel, CGColorConversionInfoRef info = nullptr) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatRGBA32Float width:1 height:1 mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> source = [[device() newTextureWithDescriptor:d] autorelease], target = [[device() newTextureWithDescriptor:d] autorelease];
  [source replaceRegion:MTLRegionMake2D(0, 0, 1, 1) mipmapLevel:0 withBytes:pixel.data() bytesPerRow:16];
  CGFloat behind[3] = {1, 0, 0.5};
  MPSImageConversion* conversion =
      [[[MPSImageConversion alloc] initWithDevice:device() srcAlpha:from destAlpha:to backgroundColor:behind conversionInfo:info] autorelease];
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
}

TEST(colors_are_decoded_mixed_and_encoded) {
  const auto straight = MPSAlphaTypeNonPremultiplied, opaque = MPSAlphaTypeAlphaIsOne, premultiplied = MPSAlphaTypePremultiplied;
  const Conversion to_linear(kCGColorSpaceSRGB, kCGColorSpaceLinearSRGB), to_srgb(kCGColorSpaceLinearSRGB, kCGColorSpaceSRGB);
  const double half = std::pow((0.5 + 0.055) / 1.055, 2.4);
  CHECK(near(converted(opaque, opaque, {0.5f, 0.02f, -0.5f, 1}, to_linear.info), {half, 0.02 / 12.92, -0.5 / 12.92, 1}));
  CHECK(near(converted(opaque, opaque, {static_cast<float>(half), 0.001f, 1, 1}, to_srgb.info), {0.5, 0.01292, 1, 1}));
  const Conversion narrowed(kCGColorSpaceLinearDisplayP3, kCGColorSpaceLinearSRGB), widened(kCGColorSpaceLinearSRGB, kCGColorSpaceLinearDisplayP3);
  CHECK(near(converted(opaque, opaque, {1, 0, 0, 1}, narrowed.info), {1.2249401763, -0.0420569547, -0.0196375546, 1}));
  CHECK(near(converted(opaque, opaque, {1.2249401763f, -0.0420569547f, -0.0196375546f, 1}, widened.info), {1, 0, 0, 1}));
  CHECK(near(converted(opaque, opaque, {1, 1, 1, 1}, Conversion(kCGColorSpaceDisplayP3, kCGColorSpaceSRGB).info), {1, 1, 1, 1}));
  // What is premultiplied is divided before the curve and multiplied again behind it; a background is of the source's space.
  CHECK(near(converted(premultiplied, premultiplied, {0.25f, 0, 0.5f, 0.5f}, to_linear.info), {half / 2, 0, 0.5, 0.5}));
  CHECK(near(converted(straight, opaque, {0.5f, 0, 0.5f, 0}, to_linear.info), {1, 0, half, 1}));
  CHECK(near(converted(straight, premultiplied, {0.5f, 0, 1, 0.5f}, to_linear.info), {half / 2, 0, 0.5, 0.5}));
}

TEST(color_spaces_are_counted_and_those_of_devices_refused) {
  CGColorSpaceRef srgb = CGColorSpaceCreateWithName(kCGColorSpaceSRGB), rgb = CGColorSpaceCreateDeviceRGB(), gray = CGColorSpaceCreateDeviceGray();
  CHECK(srgb && rgb && gray && !CGColorSpaceCreateWithName(nullptr));
  CHECK(!CGColorConversionInfoCreate(srgb, rgb) && !CGColorConversionInfoCreate(gray, srgb));
  CHECK_REFUSED(@"no colour space", CGColorConversionInfoCreate(srgb, nullptr));
  CFRetain(rgb);
  for (CFTypeRef object : {CFTypeRef(rgb), CFTypeRef(rgb), CFTypeRef(gray)}) CFRelease(object);
  CHECK_REFUSED(@"released too often", CFRelease(rgb));
  CHECK_REFUSED(@"released before", CFRetain(gray));
  CGColorConversionInfoRef info = CGColorConversionInfoCreate(srgb, srgb);
  CGColorSpaceRelease(srgb);
  CGColorSpaceRelease(nullptr);
  CHECK(near(converted(MPSAlphaTypeAlphaIsOne, MPSAlphaTypeAlphaIsOne, {0.5f, 0, 1, 0}, info), {0.5, 0, 1, 1}));
  CFRelease(info);
  CHECK_REFUSED(@"last release", converted(MPSAlphaTypeAlphaIsOne, MPSAlphaTypeAlphaIsOne, {0.5f, 0, 1, 0}, info));
  const Conversion gray_curve(kCGColorSpaceGenericGrayGamma2_2, kCGColorSpaceLinearGray);
  CHECK_REFUSED(@"4 channels, colours of 1", converted(MPSAlphaTypeAlphaIsOne, MPSAlphaTypeAlphaIsOne, {0.5f, 0, 1, 0}, gray_curve.info));
}
