#include "kernels/image/reduce_row_max.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceRowMax, RegionPlan<MPSImageReduceRowMax>)
