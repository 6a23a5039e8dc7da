#if defined(__x86_64__)
#define MPSKIT_ISA avx2
#define MPSKIT_VECTOR_BYTES 32
#include "gemm_core.hpp"

TEST_CASE("the matrix core, avx2") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::avx2)) mpskit::cpu::avx2::test::check();
}
#endif
