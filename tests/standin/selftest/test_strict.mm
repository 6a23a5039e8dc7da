// What Metal forbids, the stand-in refuses.
#include <unistd.h>

#include "networks.hpp"

using namespace selftest;

namespace {
id<MTLBuffer> buffer(NSUInteger length, MTLResourceOptions options = MTLResourceStorageModeShared) {
  return [[device() newBufferWithLength:length options:options] autorelease];
}
MTLTextureDescriptor* descriptor(NSUInteger width, NSUInteger height, MTLStorageMode mode) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR32Float
                                                                               width:width
                                                                              height:height
                                                                           mipmapped:NO];
  d.storageMode = mode;
  return d;
}
}  // namespace

TEST(command_buffers_are_for_once) {
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  CHECK(cb.status == MTLCommandBufferStatusNotEnqueued);
  CHECK_REFUSED(@"waitUntilCompleted before commit", [cb waitUntilCompleted]);
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  CHECK_REFUSED(@"a second encoder", [cb blitCommandEncoder]);
  CHECK_REFUSED(@"commit while", [cb commit]);
  CHECK_REFUSED(@"encoding while", [image_of(1, 1, 1, {0}) synchronizeOnCommandBuffer:cb]);
  [blit endEncoding];
  CHECK_REFUSED(@"endEncoding twice", [blit endEncoding]);
  CHECK_REFUSED(@"has ended", [blit fillBuffer:buffer(4) range:NSMakeRange(0, 4) value:0]);
  [cb commit];
  CHECK_REFUSED(@"committed once", [cb commit]);
  CHECK_REFUSED(@"enqueue of", [cb enqueue]);
  CHECK_REFUSED(@"after commit", [cb addCompletedHandler:^(id<MTLCommandBuffer>) {}]);
  CHECK_REFUSED(@"after commit", [cb addScheduledHandler:^(id<MTLCommandBuffer>) {}]);
  CHECK_REFUSED(@"was committed", [cb blitCommandEncoder]);
  [cb waitUntilCompleted];
  MPSImageGaussianBlur* blur = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:1] autorelease];
  MPSImage *one = image_of(1, 1, 1), *two = image_of(1, 1, 1);
  CHECK_REFUSED(@"was committed", [blur encodeToCommandBuffer:cb sourceImage:one destinationImage:two]);
}

TEST(handlers_do_not_wait) {
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  __block NSString* reason = nil;
  [cb addCompletedHandler:^(id<MTLCommandBuffer> done) {
    @try {
      [done waitUntilCompleted];
    } @catch (NSException* e) {
      reason = [e.reason copy];
    }
  }];
  [cb commit];
  [cb waitUntilCompleted];
  CHECK([reason rangeOfString:@"in a handler"].length);
  [reason release];
}

TEST(a_queue_has_so_many_command_buffers) {
  id<MTLCommandQueue> small = [[device() newCommandQueueWithMaxCommandBufferCount:2] autorelease];
  id<MTLCommandBuffer> first = [small commandBuffer], second = [small commandBuffer];
  (void)second;
  CHECK_REFUSED(@"none of them committed", [small commandBuffer]);
  [first commit];
  [[small commandBuffer] commit];  // waits for the first
  CHECK(first.status == MTLCommandBufferStatusCompleted);
}

TEST(buffers_know_their_storage) {
  CHECK_REFUSED(@"not managed", [buffer(64) didModifyRange:NSMakeRange(0, 4)]);
  CHECK_REFUSED(@"ends after", [buffer(64, MTLResourceStorageModeManaged) didModifyRange:NSMakeRange(60, 8)]);
  CHECK(buffer(64, MTLResourceStorageModePrivate).contents == nullptr);
  CHECK([device() newBufferWithLength:0 options:MTLResourceStorageModeShared] == nil);
  CHECK([device() newBufferWithLength:device().maxBufferLength + 1 options:MTLResourceStorageModeShared] == nil);
  CHECK_REFUSED(@"memoryless", buffer(64, MTLResourceStorageModeMemoryless));
  CHECK(static_cast<unsigned char*>(buffer(64).contents)[63] == 0xff);  // nothing promises zeros
  id<MTLBuffer> b = buffer(64);
  CHECK([b setPurgeableState:MTLPurgeableStateKeepCurrent] == MTLPurgeableStateNonVolatile);
  CHECK(b.length == 64 && b.allocatedSize >= 64 && b.storageMode == MTLStorageModeShared && b.device == device());
  CHECK(b.hazardTrackingMode == MTLHazardTrackingModeTracked);
}

TEST(linear_textures_fit_their_buffer) {
  id<MTLBuffer> b = buffer(1024);
  const auto make = [&](MTLTextureDescriptor* d, NSUInteger offset, NSUInteger row) {
    return [[b newTextureWithDescriptor:d offset:offset bytesPerRow:row] autorelease];
  };
  id<MTLTexture> t = make(descriptor(16, 2, MTLStorageModeShared), 256, 256);
  CHECK(t.buffer == b && t.bufferOffset == 256 && t.bufferBytesPerRow == 256 && t.storageMode == MTLStorageModeShared);
  CHECK_REFUSED(@"multiple of", make(descriptor(16, 2, MTLStorageModeShared), 8, 256));
  CHECK_REFUSED(@"multiple of", make(descriptor(16, 2, MTLStorageModeShared), 0, 72));
  CHECK_REFUSED(@"less than a row", make(descriptor(65, 1, MTLStorageModeShared), 0, 256));
  CHECK_REFUSED(@"end after", make(descriptor(16, 2, MTLStorageModeShared), 768, 256));
  CHECK_REFUSED(@"storage mode", make(descriptor(16, 2, MTLStorageModeManaged), 0, 256));
  MTLTextureDescriptor* d = descriptor(16, 2, MTLStorageModeShared);
  d.usage = MTLTextureUsageRenderTarget;
  CHECK_REFUSED(@"render target", make(d, 0, 256));
  d = descriptor(16, 2, MTLStorageModeShared);
  d.textureType = MTLTextureType2DArray;
  d.arrayLength = 2;
  CHECK_REFUSED(@"is 2D", make(d, 0, 256));
}

TEST(textures_refuse_the_impossible) {
  CHECK_REFUSED(@"allowed: 1 to 16384", [device() newTextureWithDescriptor:descriptor(16385, 1, MTLStorageModeManaged)]);
  MTLTextureDescriptor* d = descriptor(2, 2, MTLStorageModeManaged);
  d.usage = MTLTextureUsageUnknown;
  CHECK_REFUSED(@"not stated", [device() newTextureWithDescriptor:d]);
  d = descriptor(2, 2, MTLStorageModePrivate);
  id<MTLTexture> hidden = [[device() newTextureWithDescriptor:d] autorelease];
  float pixels[4];
  CHECK_REFUSED(@"private", [hidden getBytes:&pixels[0] bytesPerRow:8 fromRegion:MTLRegionMake2D(0, 0, 2, 2) mipmapLevel:0]);
  CHECK_REFUSED(@"PixelFormatView", [hidden newTextureViewWithPixelFormat:MTLPixelFormatR32Uint]);
  CHECK_REFUSED(@"as large", [hidden newTextureViewWithPixelFormat:MTLPixelFormatR8Uint]);
}

TEST(blits_are_checked) {
  id<MTLBuffer> b = buffer(1024);
  id<MTLTexture> t = [[device() newTextureWithDescriptor:descriptor(4, 4, MTLStorageModePrivate)] autorelease];
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  CHECK_REFUSED(@"multiples of 4", [blit copyFromBuffer:b sourceOffset:2 toBuffer:b destinationOffset:512 size:4]);
  CHECK_REFUSED(@"past an end", [blit copyFromBuffer:b sourceOffset:0 toBuffer:b destinationOffset:1020 size:8]);
  CHECK_REFUSED(@"onto itself", [blit copyFromBuffer:b sourceOffset:0 toBuffer:b destinationOffset:4 size:8]);
  CHECK_REFUSED(@"not managed", [blit synchronizeResource:b]);
  const auto copy = [&](NSUInteger row, MTLSize size) {
    [blit copyFromBuffer:b
               sourceOffset:0
          sourceBytesPerRow:row
        sourceBytesPerImage:0
                 sourceSize:size
                  toTexture:t
           destinationSlice:0
           destinationLevel:0
          destinationOrigin:MTLOriginMake(1, 0, 0)];
  };
  CHECK_REFUSED(@"of a texture of 4 x 4", copy(256, MTLSizeMake(4, 4, 1)));
  CHECK_REFUSED(@"multiples of", copy(20, MTLSizeMake(3, 4, 1)));
  copy(256, MTLSizeMake(3, 4, 1));
  [blit endEncoding];
}

TEST(temporaries_count_their_reads) {
  MPSImageGaussianBlur* blur = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:0] autorelease];
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32
                                                                         width:2
                                                                        height:1
                                                               featureChannels:1];
  MPSImage *in = image_of(1, 2, 1, {1, 2}), *out = image_of(1, 2, 1);
  @autoreleasepool {
    id<MTLCommandBuffer> cb = [queue() commandBuffer];
    MPSTemporaryImage* t = [MPSTemporaryImage temporaryImageWithCommandBuffer:cb imageDescriptor:d];
    CHECK(t.readCount == 1);
    t.readCount = 2;
    [blur encodeToCommandBuffer:cb sourceImage:in destinationImage:t];
    id<MTLTexture> texture = t.texture;
    CHECK(texture.storageMode == MTLStorageModePrivate);
    [blur encodeToCommandBuffer:cb sourceImage:t destinationImage:out];
    [blur encodeToCommandBuffer:cb sourceImage:t destinationImage:out];
    CHECK(t.readCount == 0);
    CHECK_REFUSED(@"after its last read", [blur encodeToCommandBuffer:cb sourceImage:t destinationImage:out]);
    CHECK_REFUSED(@"readCount was 0", t.readCount = 1);
    // Whoever kept the texture finds somebody else's bytes there.
    MPSImage* late = image_of(1, 2, 1);
    [blur encodeToCommandBuffer:cb sourceTexture:texture destinationTexture:late.texture];
    id<MTLCommandBuffer> other = [queue() commandBuffer];
    MPSTemporaryImage* unused = [MPSTemporaryImage temporaryImageWithCommandBuffer:cb imageDescriptor:d];
    CHECK_REFUSED(@"another command buffer", [blur encodeToCommandBuffer:other sourceImage:unused destinationImage:out]);
    for (MPSImage* image : {out, late}) [image synchronizeOnCommandBuffer:cb];
    const SlowGpu slow;
    [cb commit];
    CHECK_REFUSED(@"before its command buffer", (void)values_of(out));
    [cb waitUntilCompleted];
    CHECK(near(values_of(out), {1, 2}) && std::isnan(values_of(late)[0]));
    CHECK_REFUSED(@"was committed", [MPSTemporaryImage temporaryImageWithCommandBuffer:cb imageDescriptor:d]);
  }
}

TEST(temporary_matrices_count_their_reads) {
  @autoreleasepool {
    MPSMatrix* a = matrix_of(1, 1, {3});
    MPSMatrix* c = matrix_of(1, 1, {0});
    id<MTLCommandBuffer> cb = [queue() commandBuffer];
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1 columns:1 rowBytes:4 dataType:MPSDataTypeFloat32];
    MPSTemporaryMatrix* t = [MPSTemporaryMatrix temporaryMatrixWithCommandBuffer:cb matrixDescriptor:d];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit fillBuffer:t.data range:NSMakeRange(0, 4) value:0];
    [blit endEncoding];
    MPSMatrixMultiplication* k =
        [[[MPSMatrixMultiplication alloc] initWithDevice:device() resultRows:1 resultColumns:1 interiorColumns:1] autorelease];
    [k encodeToCommandBuffer:cb leftMatrix:a rightMatrix:a resultMatrix:t];
    CHECK(t.readCount == 1);
    [k encodeToCommandBuffer:cb leftMatrix:t rightMatrix:a resultMatrix:c];
    CHECK(t.readCount == 0);
    CHECK_REFUSED(@"after its last read", (void)t.data);
    [cb commit];
    [cb waitUntilCompleted];
    CHECK(near(values_of(c), {27}));
  }
}

TEST(mps_command_buffers_wrap_and_go_on) {
  @autoreleasepool {
    MPSCommandBuffer* cb = [MPSCommandBuffer commandBufferFromCommandQueue:queue()];
    id<MTLCommandBuffer> first = cb.rootCommandBuffer;
    MPSImageGaussianBlur* blur = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:0] autorelease];
    MPSImage *in = image_of(1, 1, 1, {5}), *out = image_of(1, 1, 1);
    [blur encodeToCommandBuffer:cb sourceImage:in destinationImage:out];
    [out synchronizeOnCommandBuffer:cb];
    [cb commitAndContinue];
    CHECK(cb.rootCommandBuffer != first && first.status >= MTLCommandBufferStatusCommitted);
    CHECK_REFUSED(@"before commit", [cb waitUntilCompleted]);
    [cb commit];
    [cb waitUntilCompleted];
    CHECK(near(values_of(out), {5}));
  }
}
