#include "event.hpp"

#include <chrono>

@implementation StandinEvent
@synthesize device = _device, label = _label;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super init])) _device = [device retain];
  return self;
}
- (void)signal:(uint64_t)value {
  {
    std::lock_guard lock(_mutex);
    require(value > _value, @"an event of value %lu is signalled with %lu; values only grow", static_cast<unsigned long>(_value),
            static_cast<unsigned long>(value));
    _value = value;
  }
  _changed.notify_all();
}
- (bool)waitFor:(uint64_t)value {
  std::unique_lock lock(_mutex);
  return _changed.wait_for(lock, std::chrono::seconds(10), [&] { return _value >= value; });
}
- (void)dealloc {
  [self acquire];
  [_device release];
  [_label release];
  [super dealloc];
}
@end
