// The environment's knobs. Those read with every call are turned here; "with_..." tests are run by CTest in the environment
// that they name, as a device reads its own once.
#include <chrono>

#include "networks.hpp"

using namespace selftest;

namespace {

id<MTLCommandBuffer> filled(id<MTLBuffer> b, uint8_t value) {
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  [blit fillBuffer:b range:NSMakeRange(0, b.length) value:value];
  [blit endEncoding];
  [cb commit];
  [cb waitUntilCompleted];
  return cb;
}
id<MTLBuffer> buffer(MTLResourceOptions options) { return [[device() newBufferWithLength:64 options:options] autorelease]; }

}  // namespace

TEST(an_allocation_fails_when_told) {
  const Turned knob("MPSKIT_STANDIN_FAIL_ALLOCATION", "2");
  CHECK(buffer(0) != nil);
  CHECK(buffer(0) == nil);
  CHECK(buffer(0) != nil);
  const Turned later("MPSKIT_STANDIN_FAIL_ALLOCATION", "2+");
  CHECK(buffer(0) != nil && buffer(0) == nil && buffer(0) == nil);
}

TEST(a_command_buffer_fails_when_told_and_the_queue_goes_on) {
  id<MTLBuffer> b = buffer(0);
  filled(b, 1);
  const Turned knob("MPSKIT_STANDIN_FAIL_COMMIT", "2:8");
  CHECK(filled(b, 2).error == nil);
  id<MTLCommandBuffer> failed = filled(b, 3);
  CHECK(failed.status == MTLCommandBufferStatusError && failed.error.code == MTLCommandBufferErrorOutOfMemory);
  CHECK([failed.error.domain isEqual:MTLCommandBufferErrorDomain]);
  CHECK([failed.error.localizedDescription rangeOfString:@"out of memory"].length);
  CHECK(static_cast<unsigned char*>(b.contents)[0] == 2);
  CHECK(filled(b, 4).status == MTLCommandBufferStatusCompleted);
  const Turned always("MPSKIT_STANDIN_FAIL_COMMIT", "1+");
  MTLCommandBufferDescriptor* d = [[[MTLCommandBufferDescriptor alloc] init] autorelease];
  d.errorOptions = MTLCommandBufferErrorOptionEncoderExecutionStatus;
  id<MTLCommandBuffer> cb = [queue() commandBufferWithDescriptor:d];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  blit.label = @"mine";
  [blit fillBuffer:b range:NSMakeRange(0, 4) value:0];
  [blit endEncoding];
  [cb commit];
  [cb waitUntilCompleted];
  CHECK(cb.error.code == MTLCommandBufferErrorInternal);
  id<MTLCommandBufferEncoderInfo> info = [[cb.error.userInfo objectForKey:MTLCommandBufferEncoderInfoErrorKey] objectAtIndex:0];
  CHECK([info.label isEqual:@"mine"] && info.errorState == MTLCommandEncoderErrorStateFaulted);
}

TEST(the_gpu_is_slow_when_told) {
  const Turned knob("MPSKIT_STANDIN_LATENCY_US", "30000");
  const auto start = std::chrono::steady_clock::now();
  filled(buffer(0), 0);
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(30));
}

TEST(with_discrete_memory_nothing_synchronizes_itself) {
  CHECK(!device().hasUnifiedMemory && ![device() supportsFamily:MTLGPUFamilyApple1] && [device() supportsFamily:MTLGPUFamilyMac2]);
  CHECK([device() minimumLinearTextureAlignmentForPixelFormat:MTLPixelFormatR32Float] == 256);
  id<MTLBuffer> managed = buffer(MTLResourceStorageModeManaged), shared = buffer(MTLResourceStorageModeShared);
  auto* bytes = static_cast<unsigned char*>(managed.contents);
  const auto first_on_gpu = [&] {
    id<MTLCommandBuffer> cb = [queue() commandBuffer];
    id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
    [blit copyFromBuffer:managed sourceOffset:0 toBuffer:shared destinationOffset:0 size:64];
    [blit endEncoding];
    [cb commit];
    [cb waitUntilCompleted];
    return static_cast<unsigned char*>(shared.contents)[0];
  };
  bytes[0] = 1;
  CHECK(first_on_gpu() == 0xff);
  [managed didModifyRange:NSMakeRange(0, 4)];
  CHECK(first_on_gpu() == 1);
  filled(managed, 2);
  CHECK(bytes[0] == 1);
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  [blit synchronizeResource:managed];
  [blit endEncoding];
  [cb commit];
  [cb waitUntilCompleted];
  CHECK(bytes[0] == 2);
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatR8Unorm width:4 height:4 mipmapped:NO];
  d.storageMode = MTLStorageModeShared;
  CHECK_REFUSED(@"needs an Apple GPU", [device() newTextureWithDescriptor:d]);
  MPSImage *in = image_of(1, 1, 1, {3}), *out = image_of(1, 1, 1, {4});
  MPSImageGaussianBlur* blur = [[[MPSImageGaussianBlur alloc] initWithDevice:device() sigma:0] autorelease];
  cb = [queue() commandBuffer];
  [blur encodeToCommandBuffer:cb sourceImage:in destinationImage:out];
  [cb commit];
  [cb waitUntilCompleted];
  float value = 0;
  [out readBytes:&value dataLayout:MPSDataLayoutHeightxWidthxFeatureChannels imageIndex:0];
  CHECK(value == 4);
}

TEST(with_small_buffers_long_ones_are_nil) {
  CHECK(device().maxBufferLength == 4096);
  CHECK([device() newBufferWithLength:4097 options:0] == nil && [[device() newBufferWithLength:4096 options:0] autorelease] != nil);
}

TEST(with_two_devices_there_are_two) {
  NSArray* all = [MTLCopyAllDevices() autorelease];
  CHECK(all.count == 2 && ((id<MTLDevice>)[all objectAtIndex:1]).registryID != device().registryID);
}

TEST(with_no_device_there_is_none) {
  CHECK(MTLCreateSystemDefaultDevice() == nil && [MTLCopyAllDevices() autorelease].count == 0);
  CHECK(!MPSSupportsMTLDevice(nil) && MPSGetPreferredDevice(MPSDeviceOptionsDefault) == nil);
}
