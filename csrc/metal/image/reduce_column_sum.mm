#include "kernels/image/reduce_column_sum.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceColumnSum, RegionPlan<MPSImageReduceColumnSum>)
