// The functions of cpu/simd/math.inl for one ISA against double precision, over all magnitudes of their arguments.
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "support.hpp"

#include "cpu/kernel.hpp"

namespace mpskit::test {

using Function = void (*)(float* values, std::int64_t n);

inline std::vector<float> arguments(double low, double high) {
  std::vector<float> out;
  for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 7919u * 5u)  // a prime step: every exponent, all sorts of mantissas
    for (const float v : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)})
      if (v >= low && v <= high) out.push_back(v);
  for (int i = 0; i <= 200000; ++i) {
    const double span = std::min(high, 110.0) - std::max(low, -110.0);
    out.push_back(static_cast<float>(std::max(low, -110.0) + span * i / 200000));
  }
  return out;
}

// |f(x) - exact| <= ulps units in the last place of the exact result, plus `absolute`.
inline void check(const char* name, Function f, const std::function<double(double)>& exact, double ulps, double absolute, double low, double high) {
  const std::string function = name;
  CAPTURE(function);
  const std::vector<float> x = arguments(low, high);
  std::vector<float> y = x;
  f(y.data(), static_cast<std::int64_t>(y.size()));
  double worst = 0;
  float at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = exact(x[i]);
    if (std::abs(wanted) > std::numeric_limits<float>::max()) {
      if (!std::isinf(y[i]) && std::abs(wanted) > 1.0000001 * double{std::numeric_limits<float>::max()}) worst = INFINITY, at = x[i];
      continue;
    }
    const double ulp = std::max(std::ldexp(1.0, std::ilogb(wanted == 0 ? 1e-45 : wanted) - 23), 0x1p-149);
    const double error = (std::abs(y[i] - wanted) - absolute) / ulp;
    if (!(error <= worst)) worst = error, at = x[i];
  }
  CAPTURE(at);
  CHECK(worst <= ulps);
  float nan[3] = {NAN, 0, NAN};
  f(nan, 3);
  CHECK(std::isnan(nan[0]));
  CHECK(std::isnan(nan[2]));
}

struct Functions {
  Function exp, exp_of_negative, expm1_of_negative, log, log1p_of_fraction, tanh, logistic, softplus, gelu;
};

inline void check_functions(const Functions& f) {
  const double inf = INFINITY, flushed = 1.8e-38;
  check("exp", f.exp, [](double x) { return std::exp(x); }, 1.5, 0, -inf, inf);
  check("exp_of_negative", f.exp_of_negative, [](double x) { return std::exp(x); }, 1.5, flushed, -inf, 0);
  check("expm1_of_negative", f.expm1_of_negative, [](double x) { return std::expm1(x); }, 2, 0, -inf, 0);
  check("log", f.log, [](double x) { return std::log(x); }, 1.5, 0, 1e-45, inf);
  check("log1p_of_fraction", f.log1p_of_fraction, [](double x) { return std::log1p(x); }, 2, 0, 0, 1);
  check("tanh", f.tanh, [](double x) { return std::tanh(x); }, 3, 0, -inf, inf);
  check("logistic", f.logistic, [](double x) { return 1 / (1 + std::exp(-x)); }, 3, flushed, -inf, inf);
  check("softplus", f.softplus, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, 3, flushed, -inf, inf);
  for (const double tail : {1.0, 3.0, 12.0})  // the square of the argument is rounded before it is an exponent
    check("gelu", f.gelu, [](double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }, 8 * (1 + tail * tail / 2), flushed * tail, -tail, inf);
  const auto one = [](Function g, float x) { return g(&x, 1), x; };
  CHECK(one(f.exp, INFINITY) == INFINITY);
  CHECK(one(f.exp, -INFINITY) == 0);
  CHECK(one(f.exp_of_negative, -INFINITY) == 0);
  CHECK(one(f.log, 0) == -INFINITY);
  CHECK(std::isnan(one(f.log, -1)));
  CHECK(one(f.log, INFINITY) == INFINITY);
  CHECK(one(f.tanh, -INFINITY) == -1);
  CHECK(one(f.logistic, -INFINITY) == 0);
  CHECK(one(f.softplus, INFINITY) == INFINITY);
  CHECK(std::signbit(one(f.tanh, -0.0f)));
}

}  // namespace mpskit::test
