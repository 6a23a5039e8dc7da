// Filters over windows, thresholds, transposes and integrals against values worked out by hand.
#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLTexture> texture_of(MTLPixelFormat format, NSUInteger height, NSUInteger width, const void* values, NSUInteger pixel_bytes) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:format width:width height:height mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> t = [[device() newTextureWithDescriptor:d] autorelease];
  if (values) [t replaceRegion:MTLRegionMake2D(0, 0, width, height) mipmapLevel:0 withBytes:values bytesPerRow:width * pixel_bytes];
  return t;
}
// One channel of float32 through a kernel and a copy of it.
std::vector<float> filtered(MPSUnaryImageKernel* kernel, NSUInteger height, NSUInteger width, const std::vector<float>& values, NSUInteger out_height,
                            NSUInteger out_width) {
  id<MTLTexture> from = texture_of(MTLPixelFormatR32Float, height, width, values.data(), 4), to = texture_of(MTLPixelFormatR32Float, out_height, out_width, nullptr, 4);
  MPSUnaryImageKernel* copy = [[kernel copy] autorelease];
  run(^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:to];
    [blit endEncoding];
  });
  std::vector<float> out(out_height * out_width);
  [to getBytes:out.data() bytesPerRow:out_width * 4 fromRegion:MTLRegionMake2D(0, 0, out_width, out_height) mipmapLevel:0];
  return out;
}
std::vector<float> row(MPSUnaryImageKernel* kernel, const std::vector<float>& values) {
  kernel.edgeMode = MPSImageEdgeModeClamp;
  return filtered(kernel, 1, values.size(), values, 1, values.size());
}

}  // namespace

TEST(windows_of_a_row) {
  const std::vector<float> x = {0, 0, 6, 0, 3};
  MPSImageLaplacian* laplacian = [[[MPSImageLaplacian alloc] initWithDevice:device()] autorelease];
  laplacian.bias = 1;
  CHECK(near(row(laplacian, x), {1, 7, -11, 10, -2}));
  CHECK(near(row([[[MPSImageBox alloc] initWithDevice:device() kernelWidth:3 kernelHeight:5] autorelease], x), {0, 2, 2, 3, 2}));
  CHECK(near(row([[[MPSImageTent alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1] autorelease], x), {0, 1.5, 3, 2.25, 2.25}));
  CHECK(near(row([[[MPSImageAreaMax alloc] initWithDevice:device() kernelWidth:3 kernelHeight:3] autorelease], x), {0, 6, 6, 6, 3}));
  CHECK(near(row([[[MPSImageAreaMin alloc] initWithDevice:device() kernelWidth:3 kernelHeight:3] autorelease], x), {0, 0, 0, 0, 0}));
  const float probe[3] = {1, 0, 2};
  CHECK(near(row([[[MPSImageDilate alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1 values:probe] autorelease], x), {0, 4, 6, 5, 3}));
  CHECK(near(row([[[MPSImageErode alloc] initWithDevice:device() kernelWidth:3 kernelHeight:1 values:probe] autorelease], x), {0, 0, 1, 0, 1}));
}

TEST(windows_refuse_what_apple_cannot) {
  CHECK_REFUSED(@"odd", [[MPSImageBox alloc] initWithDevice:device() kernelWidth:2 kernelHeight:3]);
  CHECK_REFUSED(@"never ends", [[MPSImageAreaMax alloc] initWithDevice:device() kernelWidth:483 kernelHeight:3]);
  const float probe[1] = {0.5f};
  CHECK_REFUSED(@"centre", [[MPSImageDilate alloc] initWithDevice:device() kernelWidth:1 kernelHeight:1 values:probe]);
  CHECK_REFUSED(@"diameter", [[MPSImageMedian alloc] initWithDevice:device() kernelDiameter:129]);
  CHECK([MPSImageMedian maxKernelDiameter] == 127 && [MPSImageMedian minKernelDiameter] == 3);
  MPSImageMedian* median = [[[MPSImageMedian alloc] initWithDevice:device() kernelDiameter:3] autorelease];
  CHECK_REFUSED(@"4 bytes", row(median, {1, 2, 3}));
}

TEST(median_lets_alpha_pass) {
  const unsigned char pixels[12] = {1, 5, 9, 100, 2, 2, 2, 200, 3, 0, 0, 50};
  id<MTLTexture> from = texture_of(MTLPixelFormatRGBA8Unorm, 1, 3, pixels, 4), to = texture_of(MTLPixelFormatRGBA8Unorm, 1, 3, nullptr, 4);
  MPSImageMedian* median = [[[MPSImageMedian alloc] initWithDevice:device() kernelDiameter:3] autorelease];
  median.edgeMode = MPSImageEdgeModeClamp;
  MPSImageMedian* copy = [[median copy] autorelease];
  CHECK(copy.kernelDiameter == 3);
  run(^(id<MTLCommandBuffer> cb) {
    [copy encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit synchronizeResource:to];
    [blit endEncoding];
  });
  unsigned char got[12];
  [to getBytes:got bytesPerRow:12 fromRegion:MTLRegionMake2D(0, 0, 3, 1) mipmapLevel:0];
  const unsigned char wanted[12] = {1, 5, 9, 100, 2, 2, 2, 200, 3, 0, 0, 50};
  for (int i = 0; i < 12; ++i) CHECK(got[i] == wanted[i]);
}

TEST(thresholds) {
  const std::vector<float> x = {1, 2, 3};
  const auto of = [&](MPSUnaryImageKernel* k) { return row([k autorelease], x); };
  CHECK(near(of([[MPSImageThresholdBinary alloc] initWithDevice:device() thresholdValue:2 maximumValue:7 linearGrayColorTransform:nullptr]), {0, 0, 7}));
  CHECK(near(of([[MPSImageThresholdBinaryInverse alloc] initWithDevice:device() thresholdValue:2 maximumValue:7 linearGrayColorTransform:nullptr]), {7, 7, 0}));
  CHECK(near(of([[MPSImageThresholdTruncate alloc] initWithDevice:device() thresholdValue:2 linearGrayColorTransform:nullptr]), {1, 2, 2}));
  CHECK(near(of([[MPSImageThresholdToZero alloc] initWithDevice:device() thresholdValue:2 linearGrayColorTransform:nullptr]), {0, 0, 3}));
  MPSImageThresholdToZeroInverse* k = [[MPSImageThresholdToZeroInverse alloc] initWithDevice:device() thresholdValue:2 linearGrayColorTransform:nullptr];
  CHECK(std::abs(k.transform[1] - 0.587f) < 1e-6f);
  CHECK(near(of(k), {1, 2, 0}));
}

TEST(transposes_and_integrals) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  MPSImageTranspose* transpose = [[[MPSImageTranspose alloc] initWithDevice:device()] autorelease];
  CHECK(near(filtered(transpose, 2, 3, x, 3, 2), {1, 4, 2, 5, 3, 6}));
  MPSImageIntegral* integral = [[[MPSImageIntegral alloc] initWithDevice:device()] autorelease];
  CHECK(near(filtered(integral, 2, 3, x, 2, 3), {1, 3, 6, 5, 12, 21}));
  integral.offset = {1, 1, 0};
  CHECK(near(filtered(integral, 2, 3, x, 1, 2), {5, 11}));
  CHECK(near(filtered([[[MPSImageIntegralOfSquares alloc] initWithDevice:device()] autorelease], 2, 3, x, 2, 3), {1, 5, 14, 17, 46, 91}));
}
