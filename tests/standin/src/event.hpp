// What lets queues wait for each other.
#pragma once
#include <condition_variable>

#include "standin.hpp"

@interface StandinEvent : StandinShared <MTLEvent> {
 @public
  id<MTLDevice> _device;
  NSString* _label;
  std::mutex _mutex;
  std::condition_variable _changed;
  uint64_t _value;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device;
- (void)signal:(uint64_t)value;
- (bool)waitFor:(uint64_t)value;  // false: the watchdog lost its patience
@end
