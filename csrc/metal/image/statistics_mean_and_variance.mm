#include "kernels/image/statistics_mean_and_variance.hpp"

#include "metal/image/region.hpp"

MPSKIT_METAL_KERNEL(image::StatisticsMeanAndVariance, RegionPlan<MPSImageStatisticsMeanAndVariance>)
