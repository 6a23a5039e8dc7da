#pragma once
// What every CPU kernel source sees before its own instruction set is switched on: standard headers, core, and the
// registration. The build compiles each source in csrc/cpu/<family>/ once per ISA, inside a target pragma, with
// MPSKIT_ISA naming the namespace and MPSKIT_VECTOR_BYTES the register width (see csrc/cmake/kernels.cmake). Headers that
// hold code for registers (*.inl) are included by the sources themselves, after the pragma.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numbers>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "core/engine.hpp"
#include "core/error.hpp"
#include "core/geometry.hpp"
#include "core/text.hpp"
#include "cpu/isa.hpp"
#include "cpu/parallel_steps.hpp"
#include "cpu/thread_pool.hpp"

namespace mpskit::cpu {

// One operand at run time: its bytes and where they lie.
struct View {
  std::byte* data = nullptr;
  Layout layout;
  template <class T>
  T* row(std::int64_t image, std::int64_t y) const {  // image row, or matrix row
    return reinterpret_cast<T*>(data + image * layout.stride[0] + y * layout.stride[1]);
  }
  template <class T>
  T* vector(std::int64_t index) const {
    return reinterpret_cast<T*>(data + index * layout.stride[0]);
  }
};

// Memory for one run of a plan, page-aligned, pooled. Contents undefined.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes) : block_(bytes ? pool::take(bytes) : nullptr) {}
  template <class T>
  T* as(std::size_t byte_offset = 0) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(block_.get()) + byte_offset);
  }

 private:
  std::shared_ptr<void> block_;
};

// A prepared kernel: everything that depends on parameters and layouts only is computed in its constructor. `run` may be
// called from several threads at once, so it keeps nothing. Views: inputs first, then outputs.
class CpuPlan : public Plan {
 public:
  virtual void run(std::span<const View> views) const = 0;
};

using Maker = std::unique_ptr<CpuPlan> (*)(const Kernel& kernel, const Call& call);
void register_maker(const KernelType& type, Isa isa, Maker maker);
// A plan of the active instruction set; UnsupportedError when this kernel has none.
std::unique_ptr<CpuPlan> make_plan(const Call& call);

// MPSKIT_CPU_KERNEL(image::GaussianBlur, Plan): Plan(const image::GaussianBlur&, const Call&) makes it.
template <class K, class P>
std::unique_ptr<CpuPlan> make(const Kernel& kernel, const Call& call) {
  return std::make_unique<P>(static_cast<const KernelOf<K>&>(kernel).value(), call);
}

}  // namespace mpskit::cpu

#define MPSKIT_JOINED(a, b) a##b
#define MPSKIT_UNIQUE(name, number) MPSKIT_JOINED(name, number)
#define MPSKIT_CPU_KERNEL(K, P)                                                                                    \
  namespace mpskit::cpu::MPSKIT_ISA {                                                                              \
  [[maybe_unused]] static const bool MPSKIT_UNIQUE(registered, __COUNTER__) =                                      \
      (register_maker(kernel_type<::mpskit::K>(), Isa::MPSKIT_ISA, &make<::mpskit::K, P>), true);                  \
  }
