// The matrix core's tiles with their instructions emulated, on registers that every x86-64 has.
#define MPSKIT_ISA emulated
#define MPSKIT_VECTOR_BYTES 16
#define MPSKIT_TILE_UNIT ::mpskit::cpu::EmulatedTiles
#include "emulated_tiles.hpp"
#include "tiles_core.hpp"

#include "cpu/gemm/gemm.cpp"

TEST_CASE("products by tiles, emulated") {
  mpskit::cpu::emulated::tiles_test::check([](bool on) { mpskit::cpu::EmulatedTiles::is_here = on; });
}
