// Canny's edges of a step, strong at one end.
#include "networks.hpp"

using namespace selftest;

TEST(canny_follows_weak_edges) {
  const float gray[3] = {1, 0, 0};
  MPSImageCanny* filter = [[[[[MPSImageCanny alloc] initWithDevice:device() linearToGrayScaleTransform:gray sigma:0] autorelease] copy] autorelease];
  CHECK(filter.lowThreshold == 0.2f && filter.highThreshold == 0.4f && filter.useFastMode && filter.sigma == 0 && filter.colorTransform[0] == 1);
  filter.edgeMode = MPSImageEdgeModeClamp;
  filter.lowThreshold = 0.43f;
  filter.highThreshold = 0.5f;
  std::vector<float> values;
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 4; ++x) values.push_back(x < 2 ? 0 : 0.15f - 0.01f * static_cast<float>(y));  // 4 of it, about, is the magnitude
  MPSImage *from = image_of(6, 4, 1, values), *to = image_of(6, 4, 1);
  run(^(id<MTLCommandBuffer> cb) {
    [filter encodeToCommandBuffer:cb sourceTexture:from.texture destinationTexture:to.texture];
  });
  const std::vector<float> got = values_of(to);
  CHECK(got[2] == 1 && got[1] == 0 && got[3] == 0 && got[4 + 2] == 1 && got[3 * 4 + 2] == 1 && got[5 * 4 + 2] == 0);
  filter.lowThreshold = 0.6f;
  CHECK_REFUSED(@"above the high one", run(^(id<MTLCommandBuffer> cb) { [filter encodeToCommandBuffer:cb sourceTexture:from.texture destinationTexture:to.texture]; }));
  CHECK_REFUSED(@"1 channels to 4", run(^(id<MTLCommandBuffer> cb) { [filter encodeToCommandBuffer:cb sourceTexture:from.texture destinationTexture:image_of(6, 4, 4).texture]; }));
  CHECK_REFUSED(@"sigma -1", [[MPSImageCanny alloc] initWithDevice:device() linearToGrayScaleTransform:gray sigma:-1]);
  CHECK([[[[MPSImageCanny alloc] initWithDevice:device()] autorelease] sigma] > 1.41f);
}
