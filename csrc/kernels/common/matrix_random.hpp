#pragma once
#include "kernels/common/matrix_window.hpp"
#include "kernels/linalg/values/matrix_random_distribution_descriptor.hpp"

namespace mpskit::linalg {

// Generators of random matrices. Apple's objects have a state that every encode moves on; a kernel here is a value, so the place in
// the generator's sequence is a parameter: element i of what is filled takes word offset + i.
struct RandomKernel {
  std::int64_t seed = 0, offset = 0;
  MatrixRandomDistributionDescriptor distribution;
  std::int64_t batch_start = 0;
  std::optional<std::int64_t> batch_size;
  bool operator==(const RandomKernel&) const = default;

  static constexpr Range integers{.min = 0, .max = 9007199254740992.0};  // up to here every double is one
  static constexpr std::tuple random_fields{
      Field{"seed", &RandomKernel::seed, integers, "", "Which sequence of numbers."},
      Field{"distribution", &RandomKernel::distribution, Range{}, "", "What becomes of its words: 'default', 'uniform', 'normal' or a MatrixRandomDistributionDescriptor."},
      Field{"offset", &RandomKernel::offset, integers, "elements", "Where in the sequence the call begins; what a call has filled is the next one's offset."},
      Field{"batch_start", &RandomKernel::batch_start, element_count, "matrices", "First matrix of out that is filled."},
      Field{"batch_size", &RandomKernel::batch_size, matrix_count, "matrices", "How many matrices are filled; None is all from batch_start."}};
  static constexpr OperandSpec destination{"out", Role::output, Kind::matrix, DTypes{DType::u32, DType::f32}, "What is filled: uint32 for 'default', float32 for the other distributions. It must be given."};

  Batch matrices(std::string_view kernel, const Layout& out) const;  // that are filled; checks everything
  void require_near_offset(std::string_view kernel) const;  // where all before it must be computed
  [[noreturn]] static void refuse_no_out(std::string_view kernel);
  bool leaves_matrices(const Layout& out) const { return batch_start != 0 || batch_size.value_or(out.matrices()) != out.matrices(); }
};

}  // namespace mpskit::linalg
