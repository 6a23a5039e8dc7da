#pragma once
#include "kernels/common/matrix_random.hpp"

namespace mpskit::linalg {

struct MatrixRandomPhilox : RandomKernel {
  bool operator==(const MatrixRandomPhilox&) const = default;

  static constexpr KernelInfo info{
      "MatrixRandomPhilox", "Fills matrices with random numbers of the counter-based generator Philox4x32-10.", "MPSMatrixRandomPhilox, in MPSMatrixRandom.h",
      "Word n of the sequence is word n % 4 of the generator of Salmon, Moraes, Dror and Shaw (2011) for the counter (0, 0, b >> 32, b), b = n / 4, and the key (seed, seed >> "
      "32), each cut to 32 bits. Elements take the words row by row, matrix by matrix, whatever padding lies between. A kernel is a value: the same call gives the same "
      "numbers, and offset says where in the sequence it begins, so that many threads or devices may share one; mps.linalg.RandomStream goes on by itself, as Apple's object "
      "does. Words and uniform numbers are the same bits on every device and instruction set, on a metal device by a shader of our own: Apple does not state how MPS fills key, "
      "counter and elements. Normal numbers agree within the tolerance."};
  static constexpr auto fields = random_fields;
  static constexpr std::array operands{destination};
  static constexpr std::array tolerances{
      Tolerance{DType::u32, 0, 0, "exact"},
      Tolerance{DType::f32, 0, 1e-6, "uniform: exact; normal: the inverse of the distribution within a few units in the last place"}};

  Layouts infer(std::span<const Layout>, const OutputHints&) const { refuse_no_out(info.name); }
  void check(std::span<const Layout>, std::span<const Layout> out) const { matrices(info.name, out[0]); }
  bool reads_outputs(std::span<const Layout> out) const { return leaves_matrices(out[0]); }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixRandomPhilox)
