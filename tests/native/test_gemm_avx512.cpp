#if defined(__x86_64__)
#define MPSKIT_ISA avx512
#define MPSKIT_VECTOR_BYTES 64
#include "gemm_core.hpp"

TEST_CASE("the matrix core, avx512") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::avx512)) mpskit::cpu::avx512::test::check();
}
#endif
