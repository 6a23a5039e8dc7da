#if defined(__x86_64__)
#define MPSKIT_ISA baseline
#define MPSKIT_VECTOR_BYTES 16
#include "gemm_core.hpp"

TEST_CASE("the matrix core, baseline") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::baseline)) mpskit::cpu::baseline::test::check();
}
#endif
