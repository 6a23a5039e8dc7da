#include "kernels/linalg/matrix_soft_max.hpp"

#include "metal/linalg/soft_max_plan.hpp"

namespace mpskit::metal {
using MatrixSoftMaxPlan = SoftMaxPlan<linalg::MatrixSoftMax, MPSMatrixSoftMax>;
}

MPSKIT_METAL_KERNEL(linalg::MatrixSoftMax, MatrixSoftMaxPlan)
