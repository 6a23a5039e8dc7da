#include "kernels/linalg/matrix_log_soft_max.hpp"

#include "metal/linalg/soft_max_plan.hpp"

namespace mpskit::metal {
using MatrixLogSoftMaxPlan = SoftMaxPlan<linalg::MatrixLogSoftMax, MPSMatrixLogSoftMax>;
}

MPSKIT_METAL_KERNEL(linalg::MatrixLogSoftMax, MatrixLogSoftMaxPlan)
