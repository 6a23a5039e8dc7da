#include "kernels/image/reduce_column_mean.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceColumnMean, RegionPlan<MPSImageReduceColumnMean>)
