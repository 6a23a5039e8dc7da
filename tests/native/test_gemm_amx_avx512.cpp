#if defined(__x86_64__)
#define MPSKIT_ISA avx512
#define MPSKIT_VECTOR_BYTES 64
#include "tiles_core.hpp"

TEST_CASE("products by tiles, amx") {
  using mpskit::cpu::Isa;
  if (!mpskit::cpu::is_available(Isa::amx)) {
    MESSAGE("skipped: needs a processor with AMX (tiles of bfloat16 and int8) and a system that lets processes use it");
    return;
  }
  mpskit::cpu::avx512::tiles_test::check([](bool on) { mpskit::cpu::force_isa(on ? "amx" : "avx512"); });
  mpskit::cpu::force_isa("");
}
#endif
