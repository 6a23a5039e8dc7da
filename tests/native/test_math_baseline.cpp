#if defined(__x86_64__)
#define MPSKIT_ISA baseline
#define MPSKIT_VECTOR_BYTES 16
#include "math_core.hpp"
#include "math_functions.inl"

TEST_CASE("functions of registers, baseline") {
  if (mpskit::cpu::is_available(mpskit::cpu::Isa::baseline)) mpskit::test::check_functions(mpskit::cpu::baseline::test::functions);
}
#endif
