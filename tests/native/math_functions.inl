// Inside the target pragma: the functions over arrays.
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA::test {

#define MPSKIT_OVER_ARRAYS(name) \
  inline void name##_all(float* v, std::int64_t n) { transform(v, n, [](Floats x) { return name(x); }); }
MPSKIT_OVER_ARRAYS(exp)
MPSKIT_OVER_ARRAYS(exp_of_negative)
MPSKIT_OVER_ARRAYS(expm1_of_negative)
MPSKIT_OVER_ARRAYS(log)
MPSKIT_OVER_ARRAYS(log1p_of_fraction)
MPSKIT_OVER_ARRAYS(tanh)
MPSKIT_OVER_ARRAYS(logistic)
MPSKIT_OVER_ARRAYS(softplus)
MPSKIT_OVER_ARRAYS(gelu)

inline constexpr mpskit::test::Functions functions{exp_all, exp_of_negative_all, expm1_of_negative_all, log_all, log1p_of_fraction_all, tanh_all, logistic_all,
                                                   softplus_all, gelu_all};

}  // namespace mpskit::cpu::MPSKIT_ISA::test
