#include "kernels/linalg/matrix_log_soft_max_gradient.hpp"

#include "metal/linalg/soft_max_plan.hpp"

namespace mpskit::metal {
using MatrixLogSoftMaxGradientPlan = SoftMaxGradientPlan<linalg::MatrixLogSoftMaxGradient, MPSMatrixLogSoftMaxGradient>;
}

MPSKIT_METAL_KERNEL(linalg::MatrixLogSoftMaxGradient, MatrixLogSoftMaxGradientPlan)
