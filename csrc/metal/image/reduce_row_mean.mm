#include "kernels/image/reduce_row_mean.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceRowMean, RegionPlan<MPSImageReduceRowMean>)
