#include "cpu/linalg/soft_max_gradient.inl"

namespace mpskit::cpu::MPSKIT_ISA {
using MatrixSoftMaxGradientPlan = SoftMaxGradientPlan<linalg::MatrixSoftMaxGradient, false>;
}

MPSKIT_CPU_KERNEL(linalg::MatrixSoftMaxGradient, MatrixSoftMaxGradientPlan)
