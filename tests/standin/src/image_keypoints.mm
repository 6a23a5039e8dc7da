// Keypoints. What the definition leaves open is made unlike the CPU engine, so that nobody leans on it: they come from the last pixel to
// the first, and the count of a full region tells of those that had no room.
#include <cstring>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Target {
  std::shared_ptr<Memory> memory;
  NSUInteger offset;
  template <class T>
  T* at(std::size_t index) const {
    return reinterpret_cast<T*>(memory->gpu() + offset) + index;
  }
};
Target target_of(id<MTLBuffer> buffer, NSUInteger offset, NSUInteger bytes, NSString* what) {
  require(offset % 32 == 0, @"MPSImageFindKeypoints: %@ offset %lu; allowed: multiples of 32", what, lu(offset));
  require(offset + bytes <= buffer.length, @"MPSImageFindKeypoints: %lu bytes of %@ from %lu end after the buffer's %lu", lu(bytes), what, lu(offset), lu(buffer.length));
  return {memory_of(buffer), offset};
}

}  // namespace

@implementation MPSImageFindKeypoints
@synthesize keypointRangeInfo = _keypointRangeInfo;
- (instancetype)initWithDevice:(id<MTLDevice>)device info:(const MPSImageKeypointRangeInfo*)info {
  require(info->maximumKeypoints > 0, @"MPSImageFindKeypoints: room for no keypoint");
  require(info->minimumThresholdValue >= 0 && info->minimumThresholdValue <= 1, @"MPSImageFindKeypoints: a threshold of %g", static_cast<double>(info->minimumThresholdValue));
  if ((self = [super initWithDevice:device])) _keypointRangeInfo = *info;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageFindKeypoints*)other {
  [super standinCopyStateFrom:other];
  _keypointRangeInfo = other->_keypointRangeInfo;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                sourceTexture:(id<MTLTexture>)source
                      regions:(const MTLRegion*)regions
              numberOfRegions:(NSUInteger)numberOfRegions
          keypointCountBuffer:(id<MTLBuffer>)countBuffer
    keypointCountBufferOffset:(NSUInteger)countOffset
           keypointDataBuffer:(id<MTLBuffer>)dataBuffer
     keypointDataBufferOffset:(NSUInteger)dataOffset {
  const Pixels src = pixels(source, MTLTextureUsageShaderRead);
  require(source.textureType == MTLTextureType2D && source.device == _device, @"MPSImageFindKeypoints: a texture that is not 2D, or of another device");
  require(source.pixelFormat == MTLPixelFormatR8Unorm, @"MPSImageFindKeypoints: pixel format %lu; allowed: R8Unorm", lu(source.pixelFormat));
  require(numberOfRegions > 0, @"MPSImageFindKeypoints: no region");
  std::vector<Window> windows;
  for (NSUInteger r = 0; r < numberOfRegions; ++r) {
    require(regions[r].origin.x + regions[r].size.width <= src.width && regions[r].origin.y + regions[r].size.height <= src.height,
            @"MPSImageFindKeypoints: region %lu ends beyond the picture", lu(r));
    windows.push_back(clip(regions[r], src));
    require(windows.back().width && windows.back().height, @"MPSImageFindKeypoints: region %lu is empty", lu(r));
  }
  const NSUInteger most = _keypointRangeInfo.maximumKeypoints;
  const float least = _keypointRangeInfo.minimumThresholdValue;
  const Target counts = target_of(countBuffer, countOffset, 4 * numberOfRegions, @"counts"), data = target_of(dataBuffer, dataOffset, 8 * most * numberOfRegions, @"keypoints");
  encode(commandBuffer, _label ? _label : @"MPSImageFindKeypoints", {reads(src), writes(counts), writes(data)}, [=] {
    for (std::size_t r = 0; r < windows.size(); ++r) {
      const Window& w = windows[r];
      unsigned int found = 0;
      for (long y = w.y + w.height - 1; y >= w.y; --y)
        for (long x = w.x + w.width - 1; x >= w.x; --x) {
          const float v = static_cast<float>(*src.pixel(static_cast<std::size_t>(x), static_cast<std::size_t>(y))) / 255.0f;
          if (v < least || found++ >= most) continue;
          *data.at<MPSImageKeypointData>(r * most + found - 1) = {vector_ushort2{static_cast<unsigned short>(x), static_cast<unsigned short>(y)}, v};
        }
      *counts.at<unsigned int>(r) = found;
    }
  });
}
@end
