#pragma once
#include <array>
#include <string_view>
#include <vector>

// Instruction sets. Every kernel source is compiled once for each; the best one of this machine is chosen at run time.
namespace mpskit::cpu {

// In order of preference. amx is avx512 with a matrix core that multiplies by tiles: it has no kernels of its own and takes those of avx512.
enum class Isa { baseline, avx2, avx512, amx, neon };
inline constexpr std::array<std::string_view, 5> isa_names{"baseline", "avx2", "avx512", "amx", "neon"};
inline constexpr std::size_t isa_count = isa_names.size();

bool machine_has(Isa isa);
bool is_available(Isa isa);  // this build has it too
std::vector<Isa> available_isas();  // best last
Isa active_isa();                   // the best, or what was forced; MPSKIT_ISA in the environment forces from the start
void force_isa(std::string_view name);  // empty: the best again; ValueError when this machine lacks it

}  // namespace mpskit::cpu
