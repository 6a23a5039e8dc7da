#include "command.hpp"
#include "resource.hpp"

using namespace standin;

const MTLRegion MPSRectNoClip = {{0, 0, 0}, {NSUIntegerMax, NSUIntegerMax, NSUIntegerMax}};

void MPSHintTemporaryMemoryHighWaterMark(id<MTLCommandBuffer> commandBuffer, NSUInteger) { (void)root(commandBuffer); }
void MPSSetHeapCacheDuration(id<MTLCommandBuffer> commandBuffer, double) { (void)root(commandBuffer); }

@implementation MPSKernel
@synthesize device = _device, label = _label, options = _options;
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  require(device, @"%@: a kernel needs a device", NSStringFromClass([self class]));
  if ((self = [super init])) _device = [device retain];
  return self;
}
- (instancetype)initWithCoder:(NSCoder*)coder device:(id<MTLDevice>)device {
  if ((self = [self initWithDevice:device])) {
    _options = static_cast<MPSKernelOptions>([coder decodeInt64ForKey:@"options"]);
    _label = [[coder decodeObjectForKey:@"label"] copy];
  }
  return self;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  const bool provides = [coder conformsToProtocol:@protocol(MPSDeviceProvider)];
  return [self initWithCoder:coder
                      device:provides ? [(id<MPSDeviceProvider>)coder mpsMTLDevice] : MPSGetPreferredDevice(MPSDeviceOptionsDefault)];
}
- (void)encodeWithCoder:(NSCoder*)coder {
  [coder encodeInt64:static_cast<int64_t>(_options) forKey:@"options"];
  [coder encodeObject:_label forKey:@"label"];
}
- (id)copyWithZone:(NSZone*)zone {
  return [self copyWithZone:zone device:nil];
}
- (instancetype)copyWithZone:(NSZone*)zone device:(id<MTLDevice>)device {
  MPSKernel* copy = [[self class] allocWithZone:zone];
  copy->_device = [device ? device : _device retain];
  [copy standinCopyStateFrom:self];
  return copy;
}
- (void)standinCopyStateFrom:(MPSKernel*)other {
  _options = other->_options;
  _label = [other->_label copy];
}
- (void)dealloc {
  [_device release];
  [_label release];
  [super dealloc];
}
@end

namespace standin {

ReadCount::~ReadCount() {
  if (count_ && memory) stop(what_);
}
void ReadCount::set(NSUInteger count) {
  require(count_, @"%s: readCount was 0 and is set to %lu", what_, lu(count));
  count_ = count;
  if (count || !memory || root(command_buffer()).status >= MTLCommandBufferStatusCommitted) return;
  // Somebody else's bytes from here on.
  encode_quietly(command_buffer(), {{memory, true}}, [memory = memory] { memory->poison(); });
}
void ReadCount::check(id<MTLCommandBuffer> command_buffer) const {
  require(count_, @"%s: used after its last read", what_);
  require(root(command_buffer) == root(this->command_buffer()), @"%s: used in another command buffer than its own", what_);
}

void consume(MPSState* state) {
  if (state && state->_commandBuffer) state.readCount = state.readCount - 1;
}

}  // namespace standin

@implementation MPSState
@synthesize label = _label, readCount = _readCount;
- (instancetype)initStandinForCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  if ((self = [super init])) {
    _commandBuffer = [commandBuffer retain];
    _readCount = commandBuffer ? 1 : 0;
  }
  return self;
}
- (BOOL)isTemporary {
  return _commandBuffer ? YES : NO;
}
- (void)setReadCount:(NSUInteger)count {
  require(_commandBuffer, @"readCount of a state that is not temporary");
  require(_readCount, @"MPSState: readCount was 0 and is set to %lu", lu(count));
  _readCount = count;
}
- (NSUInteger)resourceCount {
  return 0;
}
- (NSUInteger)resourceSize {
  return 0;
}
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  (void)root(commandBuffer);
}
- (void)dealloc {
  if (_commandBuffer && _readCount) stop("MPSState: a temporary died before its last read");
  [_commandBuffer release];
  [_label release];
  [super dealloc];
}
@end

static NSUInteger distinct(NSArray* batch) { return [[NSSet setWithArray:batch] count]; }
NSUInteger MPSStateBatchIncrementReadCount(MPSStateBatch* batch, NSInteger amount) {
  for (MPSState* state in [NSSet setWithArray:batch ? batch : @[]])
    if (state.isTemporary) state.readCount = static_cast<NSUInteger>(static_cast<NSInteger>(state.readCount) + amount);
  return distinct(batch ? batch : @[]);
}
NSUInteger MPSStateBatchResourceSize(MPSStateBatch* batch) {
  NSUInteger size = 0;
  for (MPSState* state in [NSSet setWithArray:batch ? batch : @[]]) size += state.resourceSize;
  return size;
}
void MPSStateBatchSynchronize(MPSStateBatch* batch, id<MTLCommandBuffer> commandBuffer) {
  for (MPSState* state in [NSSet setWithArray:batch]) [state synchronizeOnCommandBuffer:commandBuffer];
}

@implementation MPSCommandBuffer
@synthesize rootCommandBuffer = _root;
+ (instancetype)commandBufferFromCommandQueue:(id<MTLCommandQueue>)queue {
  return [self commandBufferWithCommandBuffer:[queue commandBuffer]];
}
+ (instancetype)commandBufferWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  return [[[self alloc] initWithCommandBuffer:commandBuffer] autorelease];
}
- (instancetype)initWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  if ((self = [super init])) _root = [root(commandBuffer) retain];
  return self;
}
- (id<MTLCommandBuffer>)commandBuffer {
  return _root;
}
- (void)commitAndContinue {
  id<MTLCommandBuffer> next = [[_root.commandQueue commandBuffer] retain];
  [_root commit];
  [_root release];
  _root = next;
}
- (void)prefetchHeapForWorkloadSize:(size_t)size {
  (void)size;
}
- (void)dealloc {
  [_root release];
  [super dealloc];
}
// Everything else is the root's.
- (CFTimeInterval)GPUEndTime { return _root.GPUEndTime; }
- (CFTimeInterval)GPUStartTime { return _root.GPUStartTime; }
- (CFTimeInterval)kernelEndTime { return _root.kernelEndTime; }
- (CFTimeInterval)kernelStartTime { return _root.kernelStartTime; }
- (id<MTLCommandQueue>)commandQueue { return _root.commandQueue; }
- (id<MTLDevice>)device { return _root.device; }
- (NSError*)error { return _root.error; }
- (MTLCommandBufferErrorOption)errorOptions { return _root.errorOptions; }
- (NSString*)label { return _root.label; }
- (void)setLabel:(NSString*)label { _root.label = label; }
- (BOOL)retainedReferences { return _root.retainedReferences; }
- (MTLCommandBufferStatus)status { return _root.status; }
- (void)addCompletedHandler:(MTLCommandBufferHandler)block { [_root addCompletedHandler:block]; }
- (void)addScheduledHandler:(MTLCommandBufferHandler)block { [_root addScheduledHandler:block]; }
- (id<MTLBlitCommandEncoder>)blitCommandEncoder { return [_root blitCommandEncoder]; }
- (void)commit { [_root commit]; }
- (id<MTLComputeCommandEncoder>)computeCommandEncoder { return [_root computeCommandEncoder]; }
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDispatchType:(MTLDispatchType)type {
  return [_root computeCommandEncoderWithDispatchType:type];
}
- (void)encodeSignalEvent:(id<MTLEvent>)event value:(uint64_t)value { [_root encodeSignalEvent:event value:value]; }
- (void)encodeWaitForEvent:(id<MTLEvent>)event value:(uint64_t)value { [_root encodeWaitForEvent:event value:value]; }
- (void)enqueue { [_root enqueue]; }
- (void)popDebugGroup { [_root popDebugGroup]; }
- (void)pushDebugGroup:(NSString*)string { [_root pushDebugGroup:string]; }
- (void)waitUntilCompleted { [_root waitUntilCompleted]; }
- (void)waitUntilScheduled { [_root waitUntilScheduled]; }
@end

@implementation MPSKeyedUnarchiver
- (instancetype)initForReadingFromData:(NSData*)data device:(id<MTLDevice>)device error:(NSError**)error {
  if ((self = [super initForReadingFromData:data error:error])) _mpsDevice = [device retain];
  return self;
}
+ (id)unarchivedObjectOfClass:(Class)wanted fromData:(NSData*)data device:(id<MTLDevice>)device error:(NSError**)error {
  MPSKeyedUnarchiver* reader = [[[self alloc] initForReadingFromData:data device:device error:error] autorelease];
  id object = [reader decodeObjectForKey:NSKeyedArchiveRootObjectKey];
  return [object isKindOfClass:wanted] ? object : nil;
}
- (id<MTLDevice>)mpsMTLDevice {
  return _mpsDevice;
}
- (void)dealloc {
  [_mpsDevice release];
  [super dealloc];
}
@end
