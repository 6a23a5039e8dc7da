#include "kernels/image/reduce_row_min.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::ReduceRowMin, RegionPlan<MPSImageReduceRowMin>)
