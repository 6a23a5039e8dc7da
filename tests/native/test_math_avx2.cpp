#if defined(__x86_64__)
#define MPSKIT_ISA avx2
#define MPSKIT_VECTOR_BYTES 32
#include "math_core.hpp"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,bmi,bmi2")
#endif
#include "math_functions.inl"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

TEST_CASE("functions of registers, avx2") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::avx2)) mpskit::test::check_functions(mpskit::cpu::avx2::test::functions);
}
#endif
