#include "kernels/image/lanczos_scale.hpp"

#include "metal/image/scale.hpp"

MPSKIT_METAL_KERNEL(image::LanczosScale, ScalePlan<MPSImageLanczosScale>)
