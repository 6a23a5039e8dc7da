#include "kernels/image/statistics_min_and_max.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::StatisticsMinAndMax, RegionPlan<MPSImageStatisticsMinAndMax>)
