// The queue and its command buffers.
#pragma once
#include <condition_variable>
#include <deque>
#include <thread>

#include "standin.hpp"

@class StandinCommandBuffer;

namespace standin {

struct Step {  // what one encoder recorded
  NSString* name;  // retained by the job
  std::vector<Use> uses;
  Work work;
  bool is_signal;  // runs when the command buffer fails too: other queues wait for it
};
id<MTLComputeCommandEncoder> make_compute_encoder(StandinCommandBuffer* command_buffer);  // autoreleased

// The thread of a queue. It shares the ownership of its state: the last command buffer, and with it the queue, often dies on
// that very thread.
struct Worker {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<StandinCommandBuffer*> line;  // enqueued, retained; only the front one may run, once it is committed
  NSUInteger alive = 0;                    // made and not yet completed
  NSUInteger limit = 64;
  bool is_stopping = false;
  std::atomic<std::thread::id> thread;

  static std::shared_ptr<Worker> start(NSUInteger limit);
  void loop();
};

}  // namespace standin

@interface StandinQueue : StandinShared <MTLCommandQueue> {
 @public
  id<MTLDevice> _device;
  NSString* _label;
  std::shared_ptr<standin::Worker> _worker;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device limit:(NSUInteger)limit;
@end

@interface StandinCommandBuffer : StandinShared <MTLCommandBuffer> {
 @public
  StandinQueue* _queue;
  NSString* _label;
  MTLCommandBufferErrorOption _errorOptions;
  BOOL _retainedReferences;
  id<MTLCommandEncoder> _open;  // not retained
  std::shared_ptr<standin::Worker> _worker;
  std::mutex _mutex;  // guards everything below once committed
  std::condition_variable _changed;
  MTLCommandBufferStatus _status;
  bool _handlersRan;
  std::vector<standin::Step> _steps;
  std::vector<MTLCommandBufferHandler> _scheduled, _completed;
  CFTimeInterval _kernelStart, _kernelEnd, _gpuStart, _gpuEnd;
  NSError* _error;
  long _latency;
  NSInteger _failure;
}
- (instancetype)initWithQueue:(StandinQueue*)queue retainedReferences:(BOOL)retained errorOptions:(MTLCommandBufferErrorOption)options;
- (void)run;  // on the queue's thread
@end

// What blit and compute encoders share.
@interface StandinEncoder : NSObject <MTLCommandEncoder> {
 @public
  StandinCommandBuffer* _commandBuffer;
  NSString* _label;
  NSUInteger _groups;
  bool _isOpen;
}
- (instancetype)initWithCommandBuffer:(StandinCommandBuffer*)commandBuffer label:(NSString*)label;
@end

namespace standin {
StandinCommandBuffer* root(id<MTLCommandBuffer> command_buffer);  // behind an MPSCommandBuffer too
}
