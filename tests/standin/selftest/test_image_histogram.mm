// Histograms and what is made of them against values worked out by hand.
#include <array>
#include <cstring>

#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLTexture> texture_of(MTLPixelFormat format, NSUInteger width, const void* values, NSUInteger pixel_bytes) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:format width:width height:1 mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  id<MTLTexture> t = [[device() newTextureWithDescriptor:d] autorelease];
  if (values) [t replaceRegion:MTLRegionMake2D(0, 0, width, 1) mipmapLevel:0 withBytes:values bytesPerRow:width * pixel_bytes];
  return t;
}
MPSImageHistogramInfo info_of(NSUInteger bins, BOOL alpha = NO) { return {bins, alpha, {0, 0, 0, 0}, {1, 1, 1, 1}}; }
id<MTLBuffer> buffer(NSUInteger counts) {
  id<MTLBuffer> b = [[device() newBufferWithLength:counts * 4 options:MTLResourceStorageModeShared] autorelease];
  std::memset([b contents], 0, counts * 4);
  return b;
}
void synchronize(id<MTLCommandBuffer> cb, id<MTLResource> resource) {
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  [blit synchronizeResource:resource];
  [blit endEncoding];
}
const unsigned int* counts_of(id<MTLBuffer> b) { return static_cast<const unsigned int*>([b contents]); }

}  // namespace

TEST(histograms_count_codes) {
  const unsigned char pixels[12] = {1, 5, 9, 100, 1, 2, 2, 200, 3, 0, 255, 50};
  id<MTLTexture> from = texture_of(MTLPixelFormatRGBA8Unorm, 3, pixels, 4);
  const MPSImageHistogramInfo info = info_of(256);
  MPSImageHistogram* histogram = [[[[[MPSImageHistogram alloc] initWithDevice:device() histogramInfo:&info] autorelease] copy] autorelease];
  CHECK([histogram histogramSizeForSourceFormat:MTLPixelFormatRGBA8Unorm] == 3072 && [histogram histogramSizeForSourceFormat:MTLPixelFormatR8Unorm] == 1024);
  CHECK(histogram.zeroHistogram && histogram.histogramInfo.numberOfHistogramEntries == 256);
  id<MTLBuffer> to = buffer(8 + 768);
  for (const BOOL is_zeroed : {YES, NO}) {
    histogram.zeroHistogram = is_zeroed;
    run(^(id<MTLCommandBuffer> cb) {
      [histogram encodeToCommandBuffer:cb sourceTexture:from histogram:to histogramOffset:32];
    });
  }
  const unsigned int* n = counts_of(to) + 8;
  CHECK(n[1] == 4 && n[3] == 2 && n[256 + 5] == 2 && n[256 + 2] == 2 && n[512 + 255] == 2 && n[0] == 0);
  histogram.zeroHistogram = YES;
  histogram.minPixelThresholdValue = vector_float4{2.5f / 255, 0, 0, 0};
  histogram.clipRectSource = MTLRegionMake2D(1, 0, 9, 9);
  run(^(id<MTLCommandBuffer> cb) {
    [histogram encodeToCommandBuffer:cb sourceTexture:from histogram:to histogramOffset:32];
  });
  CHECK(n[1] == 0 && n[3] == 1 && n[256 + 5] == 0 && n[256 + 2] == 1);
  CHECK_REFUSED(@"multiples of 32", run(^(id<MTLCommandBuffer> cb) { [histogram encodeToCommandBuffer:cb sourceTexture:from histogram:to histogramOffset:16]; }));
  CHECK_REFUSED(@"end after", run(^(id<MTLCommandBuffer> cb) { [histogram encodeToCommandBuffer:cb sourceTexture:from histogram:to histogramOffset:64]; }));
  const MPSImageHistogramInfo odd = info_of(300), flat = {256, NO, {0, 0, 0, 0}, {1, 0, 1, 1}};
  CHECK_REFUSED(@"powers of two", [[MPSImageHistogram alloc] initWithDevice:device() histogramInfo:&odd]);
  CHECK_REFUSED(@"empty range of channel 1", [[MPSImageHistogram alloc] initWithDevice:device() histogramInfo:&flat]);
}

TEST(normalized_histograms_find_the_range) {
  const float values[5] = {0.25f, 0.5f, 0.75f, 0.5f, 0.25f};
  id<MTLTexture> from = texture_of(MTLPixelFormatR32Float, 5, values, 4), minmax = texture_of(MTLPixelFormatR32Float, 2, nullptr, 4);
  const MPSImageHistogramInfo info = info_of(256);
  MPSImageNormalizedHistogram* histogram = [[[[[MPSImageNormalizedHistogram alloc] initWithDevice:device() histogramInfo:&info] autorelease] copy] autorelease];
  CHECK([histogram histogramSizeForSourceFormat:MTLPixelFormatRG32Float] == 2048 && histogram.histogramInfo.numberOfHistogramEntries == 256);
  id<MTLBuffer> to = buffer(256);
  histogram.clipRectSource = MTLRegionMake2D(0, 0, 4, 1);
  run(^(id<MTLCommandBuffer> cb) {
    [histogram encodeToCommandBuffer:cb sourceTexture:from minmaxTexture:minmax histogram:to histogramOffset:0];
    synchronize(cb, minmax);
  });
  CHECK(counts_of(to)[0] == 1 && counts_of(to)[128] == 2 && counts_of(to)[255] == 1);
  float range[2];
  [minmax getBytes:range bytesPerRow:8 fromRegion:MTLRegionMake2D(0, 0, 2, 1) mipmapLevel:0];
  CHECK(range[0] == 0.25f && range[1] == 0.75f);
  CHECK_REFUSED(@"two pixels of floats", run(^(id<MTLCommandBuffer> cb) {
                  [histogram encodeToCommandBuffer:cb sourceTexture:from minmaxTexture:texture_of(MTLPixelFormatR8Unorm, 2, nullptr, 1) histogram:to histogramOffset:0];
                }));
}

TEST(tables_are_made_of_histograms) {
  const unsigned char pixels[4] = {0, 10, 10, 200};
  id<MTLTexture> from = texture_of(MTLPixelFormatR8Unorm, 4, pixels, 1), to = texture_of(MTLPixelFormatR8Unorm, 4, nullptr, 1);
  const MPSImageHistogramInfo info = info_of(256);
  id<MTLBuffer> counts = buffer(512);
  auto* n = static_cast<unsigned int*>([counts contents]);
  n[0] = n[200] = 1;
  n[10] = 2;
  n[256 + 3] = 3;  // a quarter's share ends here
  n[256 + 90] = 1;
  const auto result = [&](MPSUnaryImageKernel* kernel, void (^transform)(id<MTLCommandBuffer>)) {
    run(^(id<MTLCommandBuffer> cb) {
      transform(cb);
      [kernel encodeToCommandBuffer:cb sourceTexture:from destinationTexture:to];
      synchronize(cb, to);
    });
    std::array<unsigned char, 4> got;
    [to getBytes:got.data() bytesPerRow:4 fromRegion:MTLRegionMake2D(0, 0, 4, 1) mipmapLevel:0];
    return got;
  };
  MPSImageHistogramEqualization* equalization = [[[MPSImageHistogramEqualization alloc] initWithDevice:device() histogramInfo:&info] autorelease];
  CHECK(equalization.histogramInfo.numberOfHistogramEntries == 256);
  const std::array<unsigned char, 4> equal = {64, 191, 191, 255};
  CHECK(result(equalization, ^(id<MTLCommandBuffer> cb) {
          [equalization encodeTransformToCommandBuffer:cb sourceTexture:from histogram:counts histogramOffset:0];
        }) == equal);
  MPSImageHistogramEqualization* copy = [[equalization copy] autorelease];
  CHECK_REFUSED(@"no transform", result(copy, ^(id<MTLCommandBuffer>) {}));
  CHECK_REFUSED(@"multiples of 256", result(copy, ^(id<MTLCommandBuffer> cb) {
                  [copy encodeTransformToCommandBuffer:cb sourceTexture:from histogram:counts histogramOffset:32];
                }));

  MPSImageHistogramSpecification* specification = [[[MPSImageHistogramSpecification alloc] initWithDevice:device() histogramInfo:&info] autorelease];
  CHECK(specification.histogramInfo.numberOfHistogramEntries == 256);
  const std::array<unsigned char, 4> specified = {3, 3, 3, 90};
  CHECK(result(specification, ^(id<MTLCommandBuffer> cb) {
          [specification encodeTransformToCommandBuffer:cb
                                          sourceTexture:from
                                        sourceHistogram:counts
                                  sourceHistogramOffset:0
                                       desiredHistogram:counts
                                 desiredHistogramOffset:1024];
        }) == specified);
}
