#pragma once
#include "kernels/common/matrix_random.hpp"

namespace mpskit::linalg {

struct MatrixRandomMTGP32 : RandomKernel {
  bool operator==(const MatrixRandomMTGP32&) const = default;

  static constexpr KernelInfo info{
      "MatrixRandomMTGP32", "Fills matrices with random numbers of the Mersenne twister for graphic processors, MTGP32.", "MPSMatrixRandomMTGP32, in MPSMatrixRandom.h",
      "The twister of Saito and Matsumoto (2010) with the exponent 11213 and the first of their published parameter sets; its state begins with the first 351 words of Philox4x32-10 "
      "for the key (seed, seed >> 32). Elements take its words row by row, matrix by matrix, from word offset on; what lies before must be computed too, so MatrixRandomPhilox is the "
      "better one for parts of a sequence. The same call gives the same numbers; mps.linalg.RandomStream goes on by itself. On a metal device MPS' own generator fills "
      "the elements, of which Apple states neither parameters nor seeding: numbers differ from those of other devices, and may with the system."};
  static constexpr auto fields = random_fields;
  static constexpr std::array operands{destination};
  static constexpr std::array tolerances{
      Tolerance{DType::u32, 0, 0, "exact"},
      Tolerance{DType::f32, 0, 1e-6, "uniform: exact; normal: the inverse of the distribution within a few units in the last place"}};

  Layouts infer(std::span<const Layout>, const OutputHints&) const { refuse_no_out(info.name); }
  void validate() const { require_near_offset(info.name); }
  void check(std::span<const Layout>, std::span<const Layout> out) const { matrices(info.name, out[0]); }
  bool reads_outputs(std::span<const Layout> out) const { return leaves_matrices(out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixRandomMTGP32)
