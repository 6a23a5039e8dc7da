#include "cpu/linalg/soft_max_gradient.inl"

namespace mpskit::cpu::MPSKIT_ISA {
using MatrixLogSoftMaxGradientPlan = SoftMaxGradientPlan<linalg::MatrixLogSoftMaxGradient, true>;
}

MPSKIT_CPU_KERNEL(linalg::MatrixLogSoftMaxGradient, MatrixLogSoftMaxGradientPlan)
