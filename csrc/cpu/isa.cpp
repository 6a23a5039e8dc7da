#include "cpu/isa.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>
#include <cstdlib>

#include "core/dispatch.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::cpu {
namespace {

#if defined(__x86_64__)
// CPUID is asked once: a virtual machine hands it to its host, which takes some 10 us, and each new plan wants to know.
bool has_f16c() {  // clang 14 does not know the word in __builtin_cpu_supports
  static const bool has = [] {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
  }();
  return has;
}

// Tiles are state of a thread that Linux lets a process have when it asks (5.16 and later); a system without the call has none for us.
bool may_use_tiles() {
#if defined(__linux__)
  static const bool are_granted = [] {
    constexpr unsigned tile = 1u << 24, bf16 = 1u << 22, int8 = 1u << 25;  // of CPUID 7, EDX
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & tile) == 0 || (edx & bf16) == 0 || (edx & int8) == 0) return false;
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM; the state's number in XCR0
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  }();
  return are_granted;
#else
  return false;
#endif
}
#endif

Isa best() {
  static const std::vector<Isa> isas = available_isas();
  if (isas.empty()) throw DeviceError("cpu: this build has no instruction set that this machine has: it was made on another one. Install it here, or build with -C cmake.define.MPSKIT_ISAS=all.");
  return isas.back();
}
std::atomic<int> forced{-1};

Isa by_name(std::string_view name) {
  std::string there;
  for (Isa isa : available_isas()) {
    const std::string_view candidate = isa_names[static_cast<std::size_t>(isa)];
    if (candidate == name) return isa;
    there += cat(there.empty() ? "" : ", ", candidate);
  }
  throw ValueError(cat("isa: '", name, "' is not available; allowed on this machine: ", there, "."));
}

// Builds from source leave out what the building machine lacks.
constexpr bool is_built(Isa isa) {
  switch (isa) {
#ifdef MPSKIT_BUILDS_baseline
    case Isa::baseline: return true;
#endif
#ifdef MPSKIT_BUILDS_avx2
    case Isa::avx2: return true;
#endif
#ifdef MPSKIT_BUILDS_avx512
    case Isa::avx512:
    case Isa::amx: return true;
#endif
#ifdef MPSKIT_BUILDS_neon
    case Isa::neon: return true;
#endif
    default: return false;
  }
}

}  // namespace

bool machine_has(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::baseline: return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::avx512:
      return machine_has(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    case Isa::amx: return machine_has(Isa::avx512) && may_use_tiles();
    case Isa::neon: return false;
  }
  return false;
#elif defined(__aarch64__)
  return isa == Isa::neon;  // Advanced SIMD with float16 conversion is part of the architecture
#else
  return isa == Isa::baseline;
#endif
}

bool is_available(Isa isa) { return is_built(isa) && machine_has(isa); }

std::vector<Isa> available_isas() {
  std::vector<Isa> out;
  for (std::size_t i = 0; i < isa_count; ++i)
    if (is_available(static_cast<Isa>(i))) out.push_back(static_cast<Isa>(i));
  return out;
}

Isa active_isa() {
  int value = forced.load(std::memory_order_relaxed);
  if (value < 0) {
    const char* wanted = std::getenv("MPSKIT_ISA");
    value = static_cast<int>(wanted && *wanted ? by_name(wanted) : best());
    forced.store(value, std::memory_order_relaxed);
  }
  return static_cast<Isa>(value);
}

void force_isa(std::string_view name) {
  forced.store(static_cast<int>(name.empty() ? best() : by_name(name)), std::memory_order_relaxed);
  advance_plan_epoch();
}

}  // namespace mpskit::cpu
