#pragma once
#include <thread>

// Waiting for another thread that is about to be done.
namespace mpskit::cpu {

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Looks until `is_over`. One that works is there within microseconds; one that does not come has lost its core, maybe to this
// very loop, so after `spins` looks the core is offered to it.
template <class F>
void spin_until(int spins, F&& is_over) {
  for (int i = 0; !is_over(); ++i) {
    if (i < spins) pause();
    else std::this_thread::yield();
  }
}

}  // namespace mpskit::cpu
