#pragma once
#include <array>
#include <limits>
#include <optional>

#include "core/value.hpp"

namespace mpskit::linalg {

enum class RandomDistribution : std::uint8_t { raw, uniform, normal };

// What becomes of a word of a generator; the same arithmetic on every engine.
struct RandomMapping {
  RandomDistribution type = RandomDistribution::raw;
  float range = 1, minimum = 0;                             // uniform: least + range * t
  float first = 0, span = 1, sign = 1, mean = 0, deviation = 1;  // normal: mean + deviation * sign * quantile(first + span * u)
  float least = std::numeric_limits<float>::lowest(), most = std::numeric_limits<float>::max();  // of both, whatever rounding does
};

struct MatrixRandomDistributionDescriptor {
  RandomDistribution distribution_type = RandomDistribution::raw;
  std::optional<float> minimum, maximum, mean, standard_deviation;
  bool operator==(const MatrixRandomDistributionDescriptor&) const = default;

  static constexpr KernelInfo info{
      "MatrixRandomDistributionDescriptor", "What random numbers are like.", "MPSMatrixRandomDistributionDescriptor, in MPSMatrixRandom.h",
      "default: the 32 bits of the generator, for uint32. uniform: float32 from minimum on and below maximum, minimum + (maximum - minimum) * t rounded once, with t = "
      "(word >> 9) / 2**23. normal: float32 with this mean and standard deviation, mean + standard_deviation * q(u), with q the inverse of the normal "
      "distribution and u = ((word >> 9) + 1/2) / 2**23; with a minimum or maximum u is spread over the part of the distribution between them, which must hold at "
      "least 2**-16 of it."};
  static constexpr std::tuple fields{
      Field{"distribution_type", &MatrixRandomDistributionDescriptor::distribution_type, Range{}, "", "Which distribution."},
      Field{"minimum", &MatrixRandomDistributionDescriptor::minimum, Range{}, "", "No number is less. None is 0 for uniform, no limit for normal."},
      Field{"maximum", &MatrixRandomDistributionDescriptor::maximum, Range{}, "", "No number reaches it (uniform) or exceeds it (normal). None is 1 for uniform, no limit for normal."},
      Field{"mean", &MatrixRandomDistributionDescriptor::mean, Range{}, "", "Of normal; None is 0."},
      Field{"standard_deviation", &MatrixRandomDistributionDescriptor::standard_deviation, Range{.min = 0, .open_min = true}, "", "Of normal, before it is cut off; None is 1."}};
  static constexpr int positional = 1;

  void validate() const;
  RandomMapping mapping() const;
};

}  // namespace mpskit::linalg

template <>
inline constexpr auto mpskit::enum_names<mpskit::linalg::RandomDistribution> = std::array<std::string_view, 3>{"default", "uniform", "normal"};

MPSKIT_VALUE(linalg, MatrixRandomDistributionDescriptor)
