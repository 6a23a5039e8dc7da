// A test registers itself; a failed check counts and says where.
#pragma once
#import <MetalPerformanceShaders/MetalPerformanceShaders.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

namespace selftest {

struct Test {
  const char* name;
  void (*run)();
};
inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline int failures = 0;
inline void check(bool ok, const char* what, const char* file, int line) {
  if (ok) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
}
// That the stand-in refuses: the exception's reason must contain these words.
void check_refused(NSString* words, const char* file, int line, const std::function<void()>& call);

inline id<MTLDevice> device() {
  static id<MTLDevice> one = MTLCreateSystemDefaultDevice();
  return one;
}
inline id<MTLCommandQueue> queue() {
  static id<MTLCommandQueue> one = [device() newCommandQueue];
  return one;
}

// A knob of the environment, for a while.
struct Turned {
  const char* name;
  Turned(const char* name, const char* value) : name(name) { setenv(name, value, 1); }
  ~Turned() { unsetenv(name); }
};
// So late that what is asked meanwhile is asked before, even where somebody else has the core for a while.
struct SlowGpu : Turned {
  SlowGpu() : Turned("MPSKIT_STANDIN_LATENCY_US", "200000") {}
};

}  // namespace selftest

#define CHECK(condition) ::selftest::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_REFUSED(words, ...) ::selftest::check_refused(words, __FILE__, __LINE__, [&] { __VA_ARGS__; })
#define TEST(name)                                                                              \
  static void name();                                                                           \
  static const bool name##_registered = (::selftest::tests().push_back({#name, &name}), true); \
  static void name()
