#include "settings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#import <Metal/Metal.h>

namespace standin {

void misuse(NSString* rule, ...) {
  va_list arguments;
  va_start(arguments, rule);
  NSString* reason = [[[NSString alloc] initWithFormat:rule arguments:arguments] autorelease];
  va_end(arguments);
  [[NSException exceptionWithName:NSInternalInconsistencyException reason:reason userInfo:nil] raise];
  std::abort();
}

void stop(const char* why) {
  std::fprintf(stderr, "stand-in of Metal: %s\n", why);
  std::abort();
}

namespace {

const char* text(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}
NSUInteger number(const char* name, NSUInteger otherwise) {
  const char* value = text(name);
  return value ? std::strtoull(value, nullptr, 0) : otherwise;
}

// "3" is the third call and no other, "3+" the third and every later one, counted since the variable took this value.
// What follows a colon is the argument.
class Countdown {
 public:
  explicit Countdown(const char* name) : name_(name) {}
  bool fires(long* argument) {
    const char* value = text(name_);
    std::lock_guard lock(mutex_);
    if (!value) {
      seen_.clear();
      return false;
    }
    if (seen_ != value) {
      seen_ = value;
      calls_ = 0;
    }
    ++calls_;
    char* end;
    const unsigned long long wanted = std::strtoull(value, &end, 10);
    const bool later = *end == '+';
    if (later) ++end;
    if (argument && *end == ':') *argument = std::strtol(end + 1, nullptr, 10);
    return calls_ == wanted || (later && calls_ > wanted);
  }

 private:
  const char* name_;
  std::mutex mutex_;
  std::string seen_;
  unsigned long long calls_ = 0;
};

Settings read() {
  Settings s;
  s.devices = number("MPSKIT_STANDIN_DEVICES", 1);
  const char* memory = text("MPSKIT_STANDIN_MEMORY");
  s.is_unified = !memory || std::strcmp(memory, "discrete") != 0;
  s.is_apple_family = s.is_unified;
  s.linear_texture_alignment = number("MPSKIT_STANDIN_ALIGNMENT", s.is_unified ? 16 : 256);
  s.max_buffer_length = number("MPSKIT_STANDIN_MAX_BUFFER", s.max_buffer_length);
  s.working_set = static_cast<NSUInteger>(sysconf(_SC_PHYS_PAGES)) * static_cast<NSUInteger>(sysconf(_SC_PAGESIZE)) / 4 * 3;
  return s;
}

}  // namespace

const Settings& settings() {
  static const Settings s = read();
  return s;
}

long latency_microseconds() { return static_cast<long>(number("MPSKIT_STANDIN_LATENCY_US", 50)); }

bool allocation_fails() {
  static Countdown countdown("MPSKIT_STANDIN_FAIL_ALLOCATION");
  return countdown.fires(nullptr);
}

bool color_fails() {
  static Countdown countdown("MPSKIT_STANDIN_FAIL_COLOR");
  return countdown.fires(nullptr);
}

NSInteger commit_fails_with() {
  static Countdown countdown("MPSKIT_STANDIN_FAIL_COMMIT");
  long code = MTLCommandBufferErrorInternal;
  return countdown.fires(&code) ? code : MTLCommandBufferErrorNone;
}

}  // namespace standin
