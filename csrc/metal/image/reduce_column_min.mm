#include "kernels/image/reduce_column_min.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceColumnMin, RegionPlan<MPSImageReduceColumnMin>)
