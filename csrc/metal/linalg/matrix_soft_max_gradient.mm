#include "kernels/linalg/matrix_soft_max_gradient.hpp"

#include "metal/linalg/soft_max_plan.hpp"

namespace mpskit::metal {
using MatrixSoftMaxGradientPlan = SoftMaxGradientPlan<linalg::MatrixSoftMaxGradient, MPSMatrixSoftMaxGradient>;
}

MPSKIT_METAL_KERNEL(linalg::MatrixSoftMaxGradient, MatrixSoftMaxGradientPlan)
