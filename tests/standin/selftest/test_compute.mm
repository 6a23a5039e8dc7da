// Shaders, pipelines and events.
#include "test.hpp"

using namespace selftest;

static NSString* source() {
  return @"kernel void test_double(device const float* src [[buffer(0)]], device float* dst [[buffer(1)]],\n"
          "  constant DoubleArguments& a [[buffer(2)]], uint i [[thread_position_in_grid]]) { }\n"
          "kernel void test_swap(texture2d<float, access::read> src [[texture(0)]], // , \n"
          "  texture2d<float, access::write> dst [[texture(1)]], uint2 at [[thread_position_in_grid]]) { }";
}
static id<MTLComputePipelineState> pipeline(NSString* name) {
  NSError* error = nil;
  id<MTLLibrary> library = [[device() newLibraryWithSource:source() options:nil error:&error] autorelease];
  id<MTLFunction> function = [[library newFunctionWithName:name] autorelease];
  return [[device() newComputePipelineStateWithFunction:function error:&error] autorelease];
}

TEST(a_shader_runs_over_a_rounded_grid) {
  const unsigned count = 5;
  id<MTLBuffer> src = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  id<MTLBuffer> dst = [[device() newBufferWithLength:64 options:MTLResourceStorageModeShared] autorelease];
  auto* in = static_cast<float*>(src.contents);
  auto* out = static_cast<float*>(dst.contents);
  for (int i = 0; i < 16; ++i) in[i] = static_cast<float>(i);
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [cb computeCommandEncoder];
  CHECK_REFUSED(@"without a pipeline", [e dispatchThreads:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(1, 1, 1)]);
  [e setComputePipelineState:pipeline(@"test_double")];
  [e setBuffer:src offset:8 atIndex:0];
  CHECK_REFUSED(@"buffer 1 is not set", [e dispatchThreads:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(1, 1, 1)]);
  [e setBuffer:dst offset:0 atIndex:1];
  [e setBytes:&count length:2 atIndex:2];
  CHECK_REFUSED(@"has 2 bytes of 4", [e dispatchThreads:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(1, 1, 1)]);
  [e setBytes:&count length:4 atIndex:2];
  CHECK_REFUSED(@"empty grid", [e dispatchThreads:MTLSizeMake(0, 1, 1) threadsPerThreadgroup:MTLSizeMake(1, 1, 1)]);
  CHECK_REFUSED(@"threads in a group", [e dispatchThreads:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(64, 32, 1)]);
  [e dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(8, 1, 1)];
  [e endEncoding];
  [cb commit];
  [cb waitUntilCompleted];
  CHECK(out[0] == 4 && out[4] == 12 && std::isnan(out[5]));
}

TEST(a_shader_reads_and_writes_textures) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:MTLPixelFormatRGBA8Unorm
                                                                               width:3
                                                                              height:2
                                                                           mipmapped:NO];
  id<MTLTexture> src = [[device() newTextureWithDescriptor:d] autorelease];
  d.usage = MTLTextureUsageShaderWrite;
  id<MTLTexture> dst = [[device() newTextureWithDescriptor:d] autorelease];
  unsigned char bytes[24];
  for (int i = 0; i < 24; ++i) bytes[i] = static_cast<unsigned char>(i);
  [src replaceRegion:MTLRegionMake2D(0, 0, 3, 2) mipmapLevel:0 withBytes:bytes bytesPerRow:12];
  id<MTLCommandBuffer> cb = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [cb computeCommandEncoder];
  [e setComputePipelineState:pipeline(@"test_swap")];
  [e setTexture:dst atIndex:0];
  [e setTexture:src atIndex:1];
  CHECK_REFUSED(@"usage", [e dispatchThreads:MTLSizeMake(3, 2, 1) threadsPerThreadgroup:MTLSizeMake(2, 2, 1)]);
  [e setTexture:src atIndex:0];
  [e setTexture:dst atIndex:1];
  [e dispatchThreads:MTLSizeMake(3, 2, 1) threadsPerThreadgroup:MTLSizeMake(2, 2, 1)];
  [e endEncoding];
  id<MTLBlitCommandEncoder> blit = [cb blitCommandEncoder];
  [blit synchronizeResource:dst];
  [blit endEncoding];
  [cb commit];
  [cb waitUntilCompleted];
  [dst getBytes:bytes bytesPerRow:12 fromRegion:MTLRegionMake2D(0, 0, 3, 2) mipmapLevel:0];
  CHECK(bytes[20] == 22 && bytes[21] == 21 && bytes[22] == 20 && bytes[23] == 128);
}

TEST(a_source_that_does_not_compile_says_why) {
  NSError* error = nil;
  CHECK([device() newLibraryWithSource:@"#error too early" options:nil error:&error] == nil);
  CHECK(error.code == MTLLibraryErrorCompileFailure && [error.localizedDescription rangeOfString:@"too early"].length);
  CHECK([device() newLibraryWithSource:@"kernel void unknown(uint i [[thread_position_in_grid]]) {}" options:nil error:&error] == nil);
  id<MTLLibrary> library = [[device() newLibraryWithSource:source() options:nil error:&error] autorelease];
  CHECK(library.functionNames.count == 2 && [library newFunctionWithName:@"other"] == nil);
}

TEST(an_event_orders_two_queues) {
  id<MTLCommandQueue> other = [[device() newCommandQueue] autorelease];
  id<MTLEvent> event = [[device() newEvent] autorelease];
  id<MTLBuffer> b = [[device() newBufferWithLength:4 options:MTLResourceStorageModeShared] autorelease];
  id<MTLCommandBuffer> waits = [other commandBuffer], signals = [queue() commandBuffer];
  [waits encodeWaitForEvent:event value:1];
  id<MTLBlitCommandEncoder> blit = [waits blitCommandEncoder];
  CHECK_REFUSED(@"event while", [waits encodeSignalEvent:event value:2]);
  [blit fillBuffer:b range:NSMakeRange(0, 4) value:2];
  [blit endEncoding];
  [waits commit];
  blit = [signals blitCommandEncoder];
  [blit fillBuffer:b range:NSMakeRange(0, 4) value:1];
  [blit endEncoding];
  [signals encodeSignalEvent:event value:1];
  [signals commit];
  [waits waitUntilCompleted];
  CHECK(*static_cast<unsigned char*>(b.contents) == 2);
}
