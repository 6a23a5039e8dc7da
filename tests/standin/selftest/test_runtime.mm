// Blocks, queues, command buffers, buffers and textures.
#include <unistd.h>

#include <cstring>
#include <memory>

#include "test.hpp"

using namespace selftest;

TEST(blocks_own_what_they_capture) {
  auto owner = std::make_shared<int>(7);
  NSMutableArray* list = [[NSMutableArray alloc] init];
  const NSUInteger before = list.retainCount;
  __block int total = 0;
  void (^block)() = [^{ total += *owner + static_cast<int>(list.count); } copy];
  CHECK(owner.use_count() == 3 && list.retainCount == before + 1);
  block();
  CHECK(total == 7);
  NSArray* held = @[ block ];
  [block release];
  ((void (^)())[held objectAtIndex:0])();
  CHECK(total == 14);
  [list release];
}

TEST(no_copy_memory_is_given_back_once) {
  const auto page = static_cast<NSUInteger>(getpagesize());
  void* pages = std::aligned_alloc(page, page);
  auto keeper = std::make_shared<int>(1);
  std::weak_ptr<int> watch = keeper;
  {
    auto keep = std::move(keeper);
    id<MTLBuffer> buffer = [device() newBufferWithBytesNoCopy:pages
                                                       length:page
                                                      options:MTLResourceStorageModeShared
                                                  deallocator:^(void*, NSUInteger) { (void)keep; }];
    CHECK(buffer.contents == pages && buffer.length == page);
    keep.reset();
    [buffer release];
  }
  CHECK(watch.expired());
  CHECK([device() newBufferWithBytesNoCopy:static_cast<char*>(pages) + 16 length:page options:0 deallocator:nil] == nil);
  CHECK([device() newBufferWithBytesNoCopy:pages length:page - 16 options:0 deallocator:nil] == nil);
  std::free(pages);
}

TEST(work_runs_in_order_and_handlers_before_waits_return) {
  id<MTLBuffer> a = [device() newBufferWithLength:64 options:MTLResourceStorageModeShared];
  __block int handled = 0;
  id<MTLCommandBuffer> last = nil;
  for (int i = 0; i < 20; ++i) {
    id<MTLCommandBuffer> cb = [queue() commandBuffer];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit fillBuffer:a range:NSMakeRange(0, 64) value:static_cast<uint8_t>(i)];
    [blit endEncoding];
    [cb addCompletedHandler:^(id<MTLCommandBuffer> done) { handled += done.status == MTLCommandBufferStatusCompleted; }];
    [cb commit];
    last = cb;
  }
  [last waitUntilCompleted];
  CHECK(handled == 20);
  CHECK(last.error == nil && last.GPUEndTime >= last.GPUStartTime && last.GPUStartTime > 0);
  CHECK(static_cast<unsigned char*>(a.contents)[63] == 19);
  [a release];
}

TEST(enqueue_reserves_the_place) {
  id<MTLBuffer> a = [device() newBufferWithLength:4 options:MTLResourceStorageModeShared];
  id<MTLCommandBuffer> first = [queue() commandBuffer], second = [queue() commandBuffer];
  [first enqueue];
  int value = 1;
  for (id<MTLCommandBuffer> cb : {second, first}) {
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit fillBuffer:a range:NSMakeRange(0, 4) value:static_cast<uint8_t>(value++)];
    [blit endEncoding];
    [cb commit];
  }
  [second waitUntilCompleted];
  CHECK(*static_cast<unsigned char*>(a.contents) == 1);
  CHECK(first.status == MTLCommandBufferStatusCompleted);
  [a release];
}

TEST(the_queue_may_die_on_its_own_thread) {
  for (int i = 0; i < 10; ++i) {
    @autoreleasepool {
      id<MTLCommandQueue> q = [device() newCommandQueue];
      [[q commandBuffer] commit];
      [q release];
    }
  }
}

TEST(textures_go_through_bytes_blits_and_views) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatRGBA8Unorm
                                                                               width:5
                                                                              height:3
                                                                           mipmapped:NO];
  d.storageMode = MTLStorageModeManaged;
  d.usage |= MTLTextureUsagePixelFormatView;
  id<MTLTexture> t = [device() newTextureWithDescriptor:d];
  unsigned char in[60], out[60] = {};
  for (int i = 0; i < 60; ++i) in[i] = static_cast<unsigned char>(i);
  [t replaceRegion:MTLRegionMake2D(0, 0, 5, 3) mipmapLevel:0 withBytes:in bytesPerRow:20];
  id<MTLBuffer> b = [device() newBufferWithLength:256 * 3 options:MTLResourceStorageModeShared];
  id<MTLTexture> other = [device() newTextureWithDescriptor:d];
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  [blit copyFromTexture:t
                   sourceSlice:0
                   sourceLevel:0
                  sourceOrigin:MTLOriginMake(1, 1, 0)
                    sourceSize:MTLSizeMake(4, 2, 1)
                      toBuffer:b
             destinationOffset:0
        destinationBytesPerRow:256
      destinationBytesPerImage:0];
  [blit copyFromTexture:t toTexture:other];
  [blit synchronizeResource:other];
  [blit endEncoding];
  const SlowGpu slow;
  [cb commit];
  CHECK_REFUSED(@"getBytes: before",
                [other getBytes:out bytesPerRow:20 fromRegion:MTLRegionMake2D(0, 0, 5, 3) mipmapLevel:0]);
  [cb waitUntilCompleted];
  [other getBytes:out bytesPerRow:20 fromRegion:MTLRegionMake2D(0, 0, 5, 3) mipmapLevel:0];
  CHECK(std::memcmp(in, out, 60) == 0);
  CHECK(static_cast<unsigned char*>(b.contents)[256] == 44);
  id<MTLTexture> view = [t newTextureViewWithPixelFormat:MTLPixelFormatRGBA8Uint];
  CHECK(view.parentTexture == t && view.pixelFormat == MTLPixelFormatRGBA8Uint && view.width == 5);
  for (id object : {(id)t, (id)b, (id)other, (id)view}) [object release];
}

TEST(images_pack_channels_in_slices_of_four) {
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32
                                                                         width:2
                                                                        height:1
                                                               featureChannels:6
                                                                numberOfImages:2
                                                                         usage:MTLTextureUsageShaderRead];
  MPSImage* image = [[MPSImage alloc] initWithDevice:device() imageDescriptor:d];
  CHECK(image.texture.arrayLength == 4 && image.textureType == MTLTextureType2DArray);
  float in[12], out[12] = {}, texels[8];
  for (int i = 0; i < 12; ++i) in[i] = static_cast<float>(i);
  [image writeBytes:in dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels imageIndex:1];
  [image readBytes:out dataLayout:MPSDataLayoutFeatureChannelsxHeightxWidth imageIndex:1];
  CHECK(out[0] == 0 && out[1] == 6 && out[2] == 1 && out[11] == 11);
  [image.texture getBytes:texels bytesPerRow:32 bytesPerImage:0 fromRegion:MTLRegionMake2D(0, 0, 2, 1) mipmapLevel:0 slice:3];
  CHECK(texels[0] == 4 && texels[1] == 5 && texels[4] == 10);
  MPSImage* second = [[image batchRepresentation] objectAtIndex:1];
  [second readBytes:out dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels imageIndex:0];
  CHECK(std::memcmp(in, out, sizeof in) == 0 && second.parent == image);
  [image release];
}
