#pragma once
#import <Foundation/Foundation.h>

#include <utility>

#if __has_feature(objc_arc)
#error "csrc/metal is written for manual reference counting: ARC does not exist in every lane"
#endif

namespace mpskit::metal {

// Owns one reference to an Objective-C object; the only place that retains and releases.
template <class T>
class retained {  // T is id<Protocol> or Class*
 public:
  retained() noexcept = default;
  static retained adopt(T p) noexcept { return retained(p); }
  static retained hold(T p) noexcept { return retained([p retain]); }
  retained(const retained& o) noexcept : p_([o.p_ retain]) {}
  retained(retained&& o) noexcept : p_(std::exchange(o.p_, nil)) {}
  retained& operator=(retained o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~retained() { [p_ release]; }
  T get() const noexcept { return p_; }
  explicit operator bool() const noexcept { return p_ != nil; }

 private:
  explicit retained(T p) noexcept : p_(p) {}
  T p_ = nil;
};
template <class T>
retained<T> adopt(T p) noexcept {  // what alloc, new or copy gave
  return retained<T>::adopt(p);
}
template <class T>
retained<T> hold(T p) noexcept {  // what was lent
  return retained<T>::hold(p);
}

}  // namespace mpskit::metal
