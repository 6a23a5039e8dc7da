#include "kernels/image/reduce_column_max.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceColumnMax, RegionPlan<MPSImageReduceColumnMax>)
