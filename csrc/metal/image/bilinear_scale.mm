#include "kernels/image/bilinear_scale.hpp"

#include "metal/image/scale.hpp"

MPSKIT_METAL_KERNEL(image::BilinearScale, ScalePlan<MPSImageBilinearScale>)
