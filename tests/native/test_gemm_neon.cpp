#if defined(__aarch64__)
#define MPSKIT_ISA neon
#define MPSKIT_VECTOR_BYTES 16
#include "gemm_core.hpp"

TEST_CASE("the matrix core, neon") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::neon)) mpskit::cpu::neon::test::check();
}
#endif
