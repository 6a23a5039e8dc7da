#if defined(__x86_64__)
#define MPSKIT_ISA avx512
#define MPSKIT_VECTOR_BYTES 64
#include "math_core.hpp"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c,bmi,bmi2")
#endif
#include "math_functions.inl"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

TEST_CASE("functions of registers, avx512") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::avx512)) mpskit::test::check_functions(mpskit::cpu::avx512::test::functions);
}
#endif
