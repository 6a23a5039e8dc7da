// The segment along a step.
#include "networks.hpp"

using namespace selftest;

TEST(ed_lines_find_a_step) {
  MPSImageEDLines* filter = [[[[[MPSImageEDLines alloc] initWithDevice:device()
                                                         gaussianSigma:1
                                                         minLineLength:8
                                                              maxLines:2
                                                           detailRatio:4
                                                     gradientThreshold:0.2f
                                                    lineErrorThreshold:0.05f
                                                mergeLocalityThreshold:0.01f] autorelease] copy] autorelease];
  CHECK(filter.gaussianSigma == 1 && filter.minLineLength == 8 && filter.maxLines == 2 && filter.detailRatio == 4 && filter.mergeLocalityThreshold == 0.01f);
  std::vector<float> values;
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 9; ++x) values.push_back(x < 5 ? 0 : 1);
  MPSImage *from = image_of(12, 9, 1, values), *edges = image_of(12, 9, 1);
  id<MTLBuffer> ends = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  const auto find = [&](id<MTLTexture> source, id<MTLTexture> drawn, NSUInteger offset) {
    run(^(id<MTLCommandBuffer> cb) {
      [filter encodeToCommandBuffer:cb sourceTexture:source destinationTexture:drawn endpointBuffer:ends endpointOffset:offset];
    });
  };
  find(from.texture, edges.texture, 32);
  const auto* n = static_cast<const unsigned int*>([ends contents]) + 8;
  const auto* p = reinterpret_cast<const unsigned short*>(n + 1);
  CHECK(*n == 1 && p[0] == p[2] && (p[0] == 4 || p[0] == 5) && p[1] + p[3] == 11);
  CHECK(values_of(edges)[p[0]] == 1 && values_of(edges)[1] == 0);
  filter.clipRectSource = MTLRegionMake2D(0, 0, 9, 6);
  find(from.texture, nil, 0);
  CHECK(*static_cast<const unsigned int*>([ends contents]) == 0);
  CHECK_REFUSED(@"multiples of 32", find(from.texture, nil, 8));
  CHECK_REFUSED(@"end after", find(from.texture, nil, 64));
  CHECK_REFUSED(@"another size", find(from.texture, image_of(3, 9, 1).texture, 0));
  CHECK_REFUSED(@"several channels", find(image_of(3, 9, 2).texture, nil, 0));
  filter.clipRectSource = MTLRegionMake2D(9, 0, 1, 1);
  CHECK_REFUSED(@"clipRectSource", find(from.texture, nil, 0));
  const auto make = [](float sigma, unsigned short ratio) {
    [[MPSImageEDLines alloc] initWithDevice:device() gaussianSigma:sigma minLineLength:1 maxLines:1 detailRatio:ratio gradientThreshold:0 lineErrorThreshold:0 mergeLocalityThreshold:0];
  };
  CHECK_REFUSED(@"sigma -1", make(-1, 1));
  CHECK_REFUSED(@"detailRatio 0", make(1, 0));
}
