#if defined(__aarch64__)
#define MPSKIT_ISA neon
#define MPSKIT_VECTOR_BYTES 16
#include "math_core.hpp"
#include "math_functions.inl"

TEST_CASE("functions of registers, neon") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::neon)) mpskit::test::check_functions(mpskit::cpu::neon::test::functions);
}
#endif
