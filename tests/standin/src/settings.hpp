// The knobs of README.md, from the environment.
#pragma once
#import <Foundation/Foundation.h>

namespace standin {

[[noreturn]] void misuse(NSString* rule, ...) NS_FORMAT_FUNCTION(1, 2);
// What Metal's validation would stop the process for.
#define require(condition, ...) ((condition) ? (void)0 : ::standin::misuse(__VA_ARGS__))
[[noreturn]] void stop(const char* why);  // where nothing can be raised: in dealloc

struct Settings {  // read once, when the first device is made
  NSUInteger devices = 1;
  bool is_unified = true;
  bool is_apple_family = true;
  NSUInteger linear_texture_alignment = 16;
  NSUInteger max_buffer_length = NSUInteger(1) << 33;
  NSUInteger working_set = NSUInteger(1) << 33;
};
const Settings& settings();

// Read with every call, on the calling thread.
long latency_microseconds();
bool allocation_fails();        // counts calls
bool color_fails();             // counts calls
NSInteger commit_fails_with();  // counts calls; MTLCommandBufferErrorNone for a success

}  // namespace standin
