#include "kernels/image/reduce_row_sum.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceRowSum, RegionPlan<MPSImageReduceRowSum>)
