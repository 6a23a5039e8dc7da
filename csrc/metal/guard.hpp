#pragma once
#import <Foundation/Foundation.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/text.hpp"
#include "metal/device.hpp"

namespace mpskit::metal {

inline std::string to_std(NSString* s) {
  const char* text = [s UTF8String];
  return text ? text : "";
}
// In the surrounding pool.
inline NSString* to_ns(std::string_view s) { return [NSString stringWithUTF8String:std::string(s).c_str()]; }

// Empties also when a C++ exception passes; @autoreleasepool does not, on a Mac either.
class AutoreleasePool {
 public:
  AutoreleasePool() = default;
  AutoreleasePool(const AutoreleasePool&) = delete;
  AutoreleasePool& operator=(const AutoreleasePool&) = delete;
  ~AutoreleasePool() { [pool_ drain]; }

 private:
  NSAutoreleasePool* pool_ = [[NSAutoreleasePool alloc] init];
};

// Every way into Objective-C: its own pool, as Python's threads bring none, and the one @catch. Nothing autoreleased may leave
// it: return what is held. C++ exceptions pass; they are caught in .cpp files only, as a C++ catch in a .mm never matches
// under GCC's runtime.
template <class F>
auto guard(F&& f) {
  using Result = std::invoke_result_t<F>;
  constexpr bool is_void = std::is_void_v<Result>;
  std::conditional_t<is_void, std::monostate, std::optional<Result>> result;
  std::string raised;
  {
    AutoreleasePool pool;
    @try {
      if constexpr (is_void) f();
      else result.emplace(f());
    } @catch (NSException* e) {
      raised = cat(to_std([e name]), ": ", to_std([e reason]));
    }
  }
  if (!raised.empty()) throw DeviceError(raised);
  if constexpr (!is_void) return std::move(*result);
}

// Shares what holds Objective-C objects: released in a pool, wherever the last holder is, and leaked on purpose by the child of a
// fork, where nothing of Metal may be touched.
template <class T>
std::shared_ptr<T> share(std::unique_ptr<T> object) {
  return std::shared_ptr<T>(object.release(), [](T* p) {
    if (is_forked()) return;
    AutoreleasePool pool;
    delete p;
  });
}

}  // namespace mpskit::metal
