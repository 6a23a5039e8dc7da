#include <string_view>

#include "test.hpp"

extern "C" {
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));
}

namespace selftest {
void check_refused(NSString* words, const char* file, int line, const std::function<void()>& call) {
  NSString* reason = nil;
  if (__lsan_disable) __lsan_disable();  // an initializer that raises loses its object, here as on a Mac
  @try {
    call();
  } @catch (NSException* e) {
    reason = e.reason;
  }
  if (__lsan_enable) __lsan_enable();
  if (reason && [reason rangeOfString:words].length) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: wanted a refusal with '%s', got '%s'\n", file, line, words.UTF8String,
               reason ? reason.UTF8String : "none");
}
}  // namespace selftest

// The tests whose names begin with the argument; without one all but those that want an environment of their own.
int main(int count, char** arguments) {
  std::size_t ran = 0;
  for (const auto& test : selftest::tests()) {
    const std::string_view name = test.name;
    if (count > 1 ? !name.starts_with(arguments[1]) : name.starts_with("with_")) continue;
    ++ran;
    std::printf("%s\n", test.name);
    @autoreleasepool {
      @try {
        test.run();
      } @catch (NSException* e) {
        ++selftest::failures;
        std::fprintf(stderr, "%s: %s\n", test.name, e.reason.UTF8String);
      }
    }
  }
  std::printf("%zu tests, %d failures\n", ran, selftest::failures);
  return selftest::failures || !ran ? 1 : 0;
}
