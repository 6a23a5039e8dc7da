#include "test.hpp"

namespace selftest {
void check_refused(NSString* words, const char* file, int line, const std::function<void()>& call) {
  NSString* reason = nil;
  @try {
    call();
  } @catch (NSException* e) {
    reason = e.reason;
  }
  if (reason && [reason rangeOfString:words].length) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: wanted a refusal with '%s', got '%s'\n", file, line, words.UTF8String,
               reason ? reason.UTF8String : "none");
}
}  // namespace selftest

int main() {
  for (const auto& test : selftest::tests()) {
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
  std::printf("%zu tests, %d failures\n", selftest::tests().size(), selftest::failures);
  return selftest::failures ? 1 : 0;
}
