#include "command.hpp"
#include "event.hpp"

#import <Foundation/NSThread.h>

#include <Block.h>

#include <chrono>

NSString* const MTLCommandBufferErrorDomain = @"MTLCommandBufferErrorDomain";
NSString* const MTLCommandBufferEncoderInfoErrorKey = @"MTLCommandBufferEncoderInfoErrorKey";

using namespace standin;

@implementation MTLCommandBufferDescriptor
@synthesize errorOptions = _errorOptions, retainedReferences = _retainedReferences;
- (instancetype)init {
  if ((self = [super init])) _retainedReferences = YES;
  return self;
}
- (id)copyWithZone:(NSZone*)zone {
  MTLCommandBufferDescriptor* copy = [[[self class] allocWithZone:zone] init];
  copy->_errorOptions = _errorOptions;
  copy->_retainedReferences = _retainedReferences;
  return copy;
}
@end

@interface StandinEncoderInfo : NSObject <MTLCommandBufferEncoderInfo> {
  NSString* _label;
  MTLCommandEncoderErrorState _state;
}
@end
@implementation StandinEncoderInfo
- (instancetype)initWithLabel:(NSString*)label state:(MTLCommandEncoderErrorState)state {
  if ((self = [super init])) {
    _label = [label copy];
    _state = state;
  }
  return self;
}
- (NSString*)label {
  return _label;
}
- (MTLCommandEncoderErrorState)errorState {
  return _state;
}
- (NSArray<NSString*>*)debugSignposts {
  return @[];
}
- (void)dealloc {
  [_label release];
  [super dealloc];
}
@end

namespace {

CFTimeInterval now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

NSString* words(NSInteger code) {
  switch (code) {
    case MTLCommandBufferErrorInternal: return @"internal error of the stand-in";
    case MTLCommandBufferErrorTimeout: return @"the stand-in's GPU took too long";
    case MTLCommandBufferErrorPageFault: return @"the stand-in's GPU met a page fault";
    case MTLCommandBufferErrorAccessRevoked: return @"the stand-in's GPU gives this process no more access";
    case MTLCommandBufferErrorNotPermitted: return @"the stand-in's GPU is not permitted";
    case MTLCommandBufferErrorOutOfMemory: return @"the stand-in's GPU is out of memory";
    case MTLCommandBufferErrorInvalidResource: return @"the stand-in's GPU met an invalid resource";
    case MTLCommandBufferErrorDeviceRemoved: return @"the stand-in's GPU was removed";
    case MTLCommandBufferErrorStackOverflow: return @"the stand-in's GPU ran out of stack";
    default: return @"the stand-in's GPU failed";
  }
}

void count_uses(const std::vector<Step>& steps, int by) {
  for (const Step& step : steps)
    for (const Use& use : step.uses) (use.is_written ? use.memory->writers : use.memory->readers) += by;
}

void call(std::vector<MTLCommandBufferHandler>& handlers, id<MTLCommandBuffer> command_buffer) {
  for (MTLCommandBufferHandler handler : handlers) {
    handler(command_buffer);
    Block_release(handler);
  }
  handlers.clear();
}

}  // namespace

namespace standin {

std::shared_ptr<Worker> Worker::start(NSUInteger limit) {
  auto worker = std::make_shared<Worker>();
  worker->limit = limit;
  std::thread([worker] {
    GSRegisterCurrentThread();
    worker->loop();
    GSUnregisterCurrentThread();
  }).detach();
  return worker;
}

void Worker::loop() {
  std::unique_lock lock(mutex);
  thread = std::this_thread::get_id();
  for (;;) {
    changed.wait(lock, [this] { return line.empty() ? is_stopping : line.front().status >= MTLCommandBufferStatusCommitted; });
    if (line.empty()) return;
    StandinCommandBuffer* command_buffer = line.front();
    lock.unlock();
    @autoreleasepool {
      [command_buffer run];
    }
    lock.lock();
    line.pop_front();
    --alive;
    changed.notify_all();
    lock.unlock();
    [command_buffer release];
    lock.lock();
  }
}

StandinCommandBuffer* root(id<MTLCommandBuffer> command_buffer) {
  if ([(id)command_buffer isKindOfClass:[MPSCommandBuffer class]]) return root(((MPSCommandBuffer*)command_buffer).rootCommandBuffer);
  require([(id)command_buffer isKindOfClass:[StandinCommandBuffer class]], @"a command buffer of another implementation, or none");
  return (StandinCommandBuffer*)command_buffer;
}

static void record(StandinCommandBuffer* cb, NSString* name, std::vector<Use> uses, Work work, bool is_signal = false) {
  std::lock_guard lock(cb->_mutex);
  require(cb->_status < MTLCommandBufferStatusCommitted, @"%@: encoding into a command buffer that was committed", name);
  cb->_steps.push_back({[name copy], std::move(uses), std::move(work), is_signal});
}

void encode(id<MTLCommandBuffer> command_buffer, NSString* name, std::vector<Use> uses, Work work) {
  StandinCommandBuffer* cb = root(command_buffer);
  require(!cb->_open, @"%@: encoding while the encoder '%@' is open", name, cb->_open.label);
  record(cb, name, std::move(uses), std::move(work));
}

void encode_quietly(id<MTLCommandBuffer> command_buffer, std::vector<Use> uses, Work work) {
  record(root(command_buffer), @"MPS", std::move(uses), std::move(work));
}

void encode_from(id<MTLCommandEncoder> encoder, id<MTLCommandBuffer> command_buffer, std::vector<Use> uses, Work work) {
  StandinCommandBuffer* cb = root(command_buffer);
  require(cb->_open == encoder, @"%@: this encoder has ended", encoder.label);
  record(cb, encoder.label, std::move(uses), std::move(work));
}

}  // namespace standin

extern "C" {
void __tsan_acquire(void*) __attribute__((weak));
void __tsan_release(void*) __attribute__((weak));
}
@implementation StandinShared
- (oneway void)release {
  if (__tsan_release) __tsan_release(self);
  [super release];
}
- (void)acquire {
  if (__tsan_acquire) __tsan_acquire(self);
}
@end

@implementation StandinQueue
@synthesize label = _label, device = _device;
- (instancetype)initWithDevice:(id<MTLDevice>)device limit:(NSUInteger)limit {
  if ((self = [super init])) {
    _device = [device retain];
    _worker = Worker::start(limit);
  }
  return self;
}
- (StandinCommandBuffer*)makeWithRetainedReferences:(BOOL)retained errorOptions:(MTLCommandBufferErrorOption)options {
  {
    std::unique_lock lock(_worker->mutex);
    require(std::this_thread::get_id() != _worker->thread || _worker->alive < _worker->limit, @"a handler would wait for itself");
    _worker->changed.wait(lock, [&] {
      require(_worker->alive < _worker->limit || !_worker->line.empty(), @"%lu command buffers and none of them committed",
              lu(_worker->limit));
      return _worker->alive < _worker->limit;
    });
    ++_worker->alive;
  }
  return [[[StandinCommandBuffer alloc] initWithQueue:self retainedReferences:retained errorOptions:options] autorelease];
}
- (id<MTLCommandBuffer>)commandBuffer {
  return [self makeWithRetainedReferences:YES errorOptions:MTLCommandBufferErrorOptionNone];
}
- (id<MTLCommandBuffer>)commandBufferWithDescriptor:(MTLCommandBufferDescriptor*)d {
  return [self makeWithRetainedReferences:d.retainedReferences errorOptions:d.errorOptions];
}
- (id<MTLCommandBuffer>)commandBufferWithUnretainedReferences {
  return [self makeWithRetainedReferences:NO errorOptions:MTLCommandBufferErrorOptionNone];
}
- (void)dealloc {
  [self acquire];
  {
    std::lock_guard lock(_worker->mutex);
    _worker->is_stopping = true;
  }
  _worker->changed.notify_all();
  [_label release];
  [_device release];
  [super dealloc];
}
@end

@implementation StandinCommandBuffer
@synthesize label = _label, errorOptions = _errorOptions, retainedReferences = _retainedReferences;
- (instancetype)initWithQueue:(StandinQueue*)queue retainedReferences:(BOOL)retained errorOptions:(MTLCommandBufferErrorOption)options {
  if ((self = [super init])) {
    _queue = [queue retain];
    _worker = queue->_worker;
    _retainedReferences = retained;
    _errorOptions = options;
  }
  return self;
}
- (id<MTLDevice>)device {
  return _queue->_device;
}
- (id<MTLCommandQueue>)commandQueue {
  return _queue;
}
- (MTLCommandBufferStatus)status {
  std::lock_guard lock(_mutex);
  return _status;
}
- (NSError*)error {
  std::lock_guard lock(_mutex);
  return [[_error retain] autorelease];
}
- (CFTimeInterval)GPUStartTime {
  std::lock_guard lock(_mutex);
  return _gpuStart;
}
- (CFTimeInterval)GPUEndTime {
  std::lock_guard lock(_mutex);
  return _gpuEnd;
}
- (CFTimeInterval)kernelStartTime {
  std::lock_guard lock(_mutex);
  return _kernelStart;
}
- (CFTimeInterval)kernelEndTime {
  std::lock_guard lock(_mutex);
  return _kernelEnd;
}
- (void)addCompletedHandler:(MTLCommandBufferHandler)handler {
  std::lock_guard lock(_mutex);
  require(_status < MTLCommandBufferStatusCommitted, @"addCompletedHandler: after commit");
  _completed.push_back(Block_copy(handler));
}
- (void)addScheduledHandler:(MTLCommandBufferHandler)handler {
  std::lock_guard lock(_mutex);
  require(_status < MTLCommandBufferStatusCommitted, @"addScheduledHandler: after commit");
  _scheduled.push_back(Block_copy(handler));
}
- (void)pushDebugGroup:(NSString*)name {
  (void)name;
}
- (void)popDebugGroup {
}
- (void)enqueue {
  {
    std::lock_guard lock(_mutex);
    require(_status == MTLCommandBufferStatusNotEnqueued, @"enqueue of a command buffer that is enqueued or committed");
    _status = MTLCommandBufferStatusEnqueued;
  }
  [self retain];
  std::lock_guard lock(_worker->mutex);
  _worker->line.push_back(self);
}
- (void)commit {
  require(!_open, @"commit while the encoder '%@' is open", _open.label);
  if (self.status == MTLCommandBufferStatusNotEnqueued) [self enqueue];
  {
    std::lock_guard lock(_mutex);
    require(_status == MTLCommandBufferStatusEnqueued, @"a command buffer is committed once");
    _latency = latency_microseconds();
    _failure = commit_fails_with();
    // The GPU sees managed memory as it is now: what the CPU modifies later comes with a later command buffer.
    std::vector<Step> uploads;
    for (const Step& step : _steps)
      for (const Use& use : step.uses)
        if (Work work = use.memory->upload(use.memory)) uploads.push_back({[@"upload" copy], {{use.memory, true}}, std::move(work), false});
    _steps.insert(_steps.begin(), std::make_move_iterator(uploads.begin()), std::make_move_iterator(uploads.end()));
    count_uses(_steps, 1);
  }
  {
    std::lock_guard lock(_worker->mutex);
    std::lock_guard own(_mutex);
    _status = MTLCommandBufferStatusCommitted;
  }
  _worker->changed.notify_all();
}

- (NSError*)errorWithCode:(NSInteger)code text:(NSString*)text faulted:(std::size_t)faulted {
  NSMutableDictionary* info = [NSMutableDictionary dictionary];
  [info setObject:text forKey:NSLocalizedDescriptionKey];
  if (_errorOptions & MTLCommandBufferErrorOptionEncoderExecutionStatus) {
    NSMutableArray* encoders = [NSMutableArray array];
    for (std::size_t i = 0; i < _steps.size(); ++i) {
      const auto state = i < faulted    ? MTLCommandEncoderErrorStateCompleted
                         : i == faulted ? MTLCommandEncoderErrorStateFaulted
                                        : MTLCommandEncoderErrorStatePending;
      [encoders addObject:[[[StandinEncoderInfo alloc] initWithLabel:_steps[i].name state:state] autorelease]];
    }
    [info setObject:encoders forKey:MTLCommandBufferEncoderInfoErrorKey];
  }
  return [NSError errorWithDomain:MTLCommandBufferErrorDomain code:code userInfo:info];
}

- (void)run {
  {
    std::lock_guard lock(_mutex);
    _status = MTLCommandBufferStatusScheduled;
    _kernelStart = _kernelEnd = now();
  }
  _changed.notify_all();
  call(_scheduled, self);
  // A wait that is missing shows as bytes that are not there yet.
  if (_latency > 0) std::this_thread::sleep_for(std::chrono::microseconds(_latency));
  const CFTimeInterval start = now();
  NSError* error = _failure ? [self errorWithCode:_failure text:words(_failure) faulted:0] : nil;
  for (std::size_t i = 0; !error && i < _steps.size(); ++i) {
    @try {
      _steps[i].work();
    } @catch (NSException* e) {
      const bool is_timeout = [e.name isEqual:@"timeout"];
      error = [self errorWithCode:is_timeout ? MTLCommandBufferErrorTimeout : MTLCommandBufferErrorInternal text:e.reason faulted:i];
    }
  }
  for (const Step& step : _steps)
    if (error && step.is_signal) step.work();
  count_uses(_steps, -1);
  [self dropSteps];  // and with them resources that nobody else holds
  {
    std::lock_guard lock(_mutex);
    _gpuStart = start;
    _gpuEnd = now();
    _error = [error retain];
    _status = error ? MTLCommandBufferStatusError : MTLCommandBufferStatusCompleted;
  }
  call(_completed, self);
  {
    std::lock_guard lock(_mutex);
    _handlersRan = true;
  }
  _changed.notify_all();
}
- (void)dropSteps {
  for (Step& step : _steps) [step.name release];
  _steps.clear();
}

- (void)waitUntil:(bool (^)())done name:(NSString*)name {
  require(std::this_thread::get_id() != _worker->thread, @"%@ in a handler never returns", name);
  std::unique_lock lock(_mutex);
  require(_status >= MTLCommandBufferStatusCommitted, @"%@ before commit never returns", name);
  _changed.wait(lock, [&] { return done(); });
}
- (void)waitUntilCompleted {
  [self waitUntil:^{ return _handlersRan; } name:@"waitUntilCompleted"];
}
- (void)waitUntilScheduled {
  [self waitUntil:^{ return _status >= MTLCommandBufferStatusScheduled; } name:@"waitUntilScheduled"];
}
- (void)dealloc {
  [self acquire];
  if (_open) stop("a command buffer died with an open encoder");
  if (_status < MTLCommandBufferStatusCommitted) {
    std::lock_guard lock(_worker->mutex);
    --_worker->alive;
    _worker->changed.notify_all();
  }
  for (auto* handlers : {&_scheduled, &_completed})
    for (MTLCommandBufferHandler handler : *handlers) Block_release(handler);
  [self dropSteps];
  [_error release];
  [_label release];
  [_queue release];
  [super dealloc];
}
- (id<MTLBlitCommandEncoder>)blitCommandEncoder {
  return [[[NSClassFromString(@"StandinBlitEncoder") alloc] initWithCommandBuffer:self label:@"blit"] autorelease];
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoder {
  return make_compute_encoder(self);
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDispatchType:(MTLDispatchType)type {
  require(type == MTLDispatchTypeSerial, @"the stand-in has serial compute encoders");
  return make_compute_encoder(self);
}
- (void)event:(id<MTLEvent>)event value:(uint64_t)value signal:(bool)is_signal {
  require(!_open, @"an event while the encoder '%@' is open", _open.label);
  require([(id)event isKindOfClass:[StandinEvent class]], @"an event of another implementation, or none");
  const Keep<StandinEvent*> keep((StandinEvent*)event);
  Work work = [=] {
    if (is_signal) {
      [keep.get() signal:value];
    } else if (![keep.get() waitFor:value]) {
      [NSException raise:@"timeout" format:@"%@: nobody signals %lu", words(MTLCommandBufferErrorTimeout), static_cast<unsigned long>(value)];
    }
  };
  record(self, @"event", {}, std::move(work), is_signal);
}
- (void)encodeSignalEvent:(id<MTLEvent>)event value:(uint64_t)value {
  [self event:event value:value signal:true];
}
- (void)encodeWaitForEvent:(id<MTLEvent>)event value:(uint64_t)value {
  [self event:event value:value signal:false];
}
@end

@implementation StandinEncoder
- (instancetype)initWithCommandBuffer:(StandinCommandBuffer*)commandBuffer label:(NSString*)label {
  require(!commandBuffer->_open, @"a second encoder while '%@' is open", commandBuffer->_open.label);
  require(commandBuffer.status < MTLCommandBufferStatusCommitted, @"a new encoder in a command buffer that was committed");
  if ((self = [super init])) {
    _commandBuffer = [commandBuffer retain];
    _label = [label copy];
    _isOpen = true;
    commandBuffer->_open = self;
  }
  return self;
}
- (id<MTLDevice>)device {
  return _commandBuffer.device;
}
- (NSString*)label {
  return _label;
}
- (void)setLabel:(NSString*)label {
  NSString* copy = [label copy];
  [_label release];
  _label = copy;
}
- (void)insertDebugSignpost:(NSString*)text {
  (void)text;
}
- (void)pushDebugGroup:(NSString*)text {
  (void)text;
  ++_groups;
}
- (void)popDebugGroup {
  require(_groups, @"popDebugGroup without a group");
  --_groups;
}
- (void)endEncoding {
  require(_isOpen, @"endEncoding twice");
  require(!_groups, @"endEncoding with %lu open debug groups", lu(_groups));
  _isOpen = false;
  _commandBuffer->_open = nil;
}
- (void)dealloc {
  if (_isOpen) stop("an encoder died without endEncoding");
  [_label release];
  [_commandBuffer release];
  [super dealloc];
}
@end
