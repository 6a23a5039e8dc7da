#include "kernels/image/statistics_mean.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::StatisticsMean, RegionPlan<MPSImageStatisticsMean>)
