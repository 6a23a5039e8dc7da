#include "kernels/image/subtract.hpp"

#include "metal/image/arithmetic.hpp"

MPSKIT_METAL_KERNEL(image::Subtract, ArithmeticPlan<MPSImageSubtract>)
