#include "kernels/common/matrix_random.hpp"

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void MatrixRandomDistributionDescriptor::validate() const {
  const std::string_view name = info.name, type = name_of_enum(distribution_type);
  const auto refuse = [&](std::string_view field, const std::optional<float>& given) {
    if (given) throw ValueError(cat(name, ": ", field, " is ", *given, "; allowed: none, '", type, "' has no ", field, ". Omit it."));
  };
  if (distribution_type == RandomDistribution::raw) {
    refuse("minimum", minimum);
    refuse("maximum", maximum);
  }
  if (distribution_type != RandomDistribution::normal) {
    refuse("mean", mean);
    refuse("standard_deviation", standard_deviation);
  }
  const RandomMapping m = mapping();
  if (distribution_type == RandomDistribution::uniform && !(m.range > 0 && std::isfinite(m.range)))
    throw ValueError(cat(name, ": minimum is ", m.minimum, ", maximum is ", maximum.value_or(1), "; allowed: a larger maximum, no farther off than float32 counts. Pass such numbers."));
  if (distribution_type == RandomDistribution::normal && !(m.span >= 0x1p-16f))
    throw ValueError(cat(name, ": between minimum ", minimum ? to_text(double{*minimum}) : "None", " and maximum ", maximum ? to_text(double{*maximum}) : "None", " lies ",
                         static_cast<double>(m.span), " of the distribution; allowed: at least 2**-16 of it. Pass limits nearer to the mean."));
}

RandomMapping MatrixRandomDistributionDescriptor::mapping() const {
  RandomMapping m;
  m.type = distribution_type;
  if (distribution_type == RandomDistribution::uniform) {
    const float last = maximum.value_or(1.0f);
    m.minimum = minimum.value_or(0.0f);
    m.range = last - m.minimum;
    m.least = m.minimum;
    m.most = std::nextafter(last, m.minimum);  // rounding would reach it
  } else if (distribution_type == RandomDistribution::normal) {
    m.mean = mean.value_or(0.0f);
    m.deviation = standard_deviation.value_or(1.0f);
    m.least = minimum.value_or(m.least);
    m.most = maximum.value_or(m.most);
    const auto below = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
    double low = minimum ? (double{*minimum} - m.mean) / m.deviation : -HUGE_VAL, high = maximum ? (double{*maximum} - m.mean) / m.deviation : HUGE_VAL;
    if (low + high > 0) {  // turned over, so that what is rare lies near 0, where float32 is fine
      m.sign = -1;
      std::swap(low, high);
      low = -low;
      high = -high;
    }
    m.first = static_cast<float>(below(low));
    m.span = static_cast<float>(below(high) - below(low));
  }
  return m;
}

Batch RandomKernel::matrices(std::string_view kernel, const Layout& out) const {
  const DType wanted = distribution.distribution_type == RandomDistribution::raw ? DType::u32 : DType::f32;
  if (out.dtype != wanted)
    throw TypeError(cat(kernel, ": out is ", name_of(out.dtype), " and the distribution is '", name_of_enum(distribution.distribution_type), "'; allowed: ", name_of(wanted),
                        ". Pass such an out, or distribution='", wanted == DType::u32 ? "uniform" : "default", "'."));
  return batch_of(kernel, batch_start, batch_size, {{"out", "", &out}});
}

void RandomKernel::require_near_offset(std::string_view kernel) const {
  constexpr std::int64_t farthest = std::int64_t{1} << 32;
  if (offset > farthest)
    throw ValueError(cat(kernel, ": offset is ", offset, "; allowed: 0 to ", farthest, " elements, all of which are computed. Pass another seed, or use MatrixRandomPhilox."));
}

void RandomKernel::refuse_no_out(std::string_view kernel) {
  throw ValueError(cat(kernel, ": out is missing; allowed: the array or Matrix that is filled. Pass out=mps.empty(shape, dtype), or draw from a mps.linalg.RandomStream(kernel)."));
}

}  // namespace mpskit::linalg
