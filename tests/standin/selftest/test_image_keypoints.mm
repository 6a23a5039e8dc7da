// Keypoints against pixels picked by hand.
#include <cstring>

#include "networks.hpp"

using namespace selftest;

TEST(keypoints_are_pixels_of_regions) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR8Unorm width:4 height:2 mipmapped:NO];
  d.usage = MTLTextureUsageShaderRead;
  id<MTLTexture> from = [[device() newTextureWithDescriptor:d] autorelease];
  const unsigned char pixels[8] = {255, 0, 50, 51, 0, 51, 52, 0};
  [from replaceRegion:MTLRegionMake2D(0, 0, 4, 2) mipmapLevel:0 withBytes:pixels bytesPerRow:4];
  const MPSImageKeypointRangeInfo info = {2, 51.0f / 255};
  MPSImageFindKeypoints* filter = [[[[[MPSImageFindKeypoints alloc] initWithDevice:device() info:&info] autorelease] copy] autorelease];
  CHECK(filter.keypointRangeInfo.maximumKeypoints == 2);
  id<MTLBuffer> counts = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  id<MTLBuffer> data = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  const MTLRegion regions[2] = {MTLRegionMake2D(0, 0, 4, 2), MTLRegionMake2D(2, 0, 2, 1)};
  const auto find = [&](id<MTLTexture> source, const MTLRegion* r, NSUInteger n, NSUInteger at) {
    run(^(id<MTLCommandBuffer> cb) {
      [filter encodeToCommandBuffer:cb sourceTexture:source regions:r numberOfRegions:n keypointCountBuffer:counts keypointCountBufferOffset:32 keypointDataBuffer:data keypointDataBufferOffset:at];
    });
  };
  find(from, regions, 2, 32);
  const auto* n = static_cast<const unsigned int*>([counts contents]) + 8;
  const auto* found = static_cast<const MPSImageKeypointData*>([data contents]) + 4;
  CHECK(n[0] == 4 && n[1] == 1);
  CHECK(found[0].keypointCoordinate[0] == 2 && found[0].keypointCoordinate[1] == 1 && found[0].keypointColorValue == 52.0f / 255);
  CHECK(found[1].keypointCoordinate[0] == 1 && found[2].keypointCoordinate[0] == 3 && found[2].keypointCoordinate[1] == 0);
  const MTLRegion wide = MTLRegionMake2D(1, 0, 4, 2), empty = MTLRegionMake2D(0, 0, 0, 1);
  CHECK_REFUSED(@"beyond the picture", find(from, &wide, 1, 0));
  CHECK_REFUSED(@"is empty", find(from, &empty, 1, 0));
  CHECK_REFUSED(@"no region", find(from, regions, 0, 0));
  CHECK_REFUSED(@"multiples of 32", find(from, regions, 2, 8));
  CHECK_REFUSED(@"end after", find(from, regions, 2, 64));
  d.pixelFormat = MTLPixelFormatR32Float;
  CHECK_REFUSED(@"R8Unorm", find([[device() newTextureWithDescriptor:d] autorelease], regions, 1, 0));
  const MPSImageKeypointRangeInfo none = {0, 0.5f}, high = {1, 2};
  CHECK_REFUSED(@"no keypoint", [[MPSImageFindKeypoints alloc] initWithDevice:device() info:&none]);
  CHECK_REFUSED(@"threshold of 2", [[MPSImageFindKeypoints alloc] initWithDevice:device() info:&high]);
}
