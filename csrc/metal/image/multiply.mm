#include "kernels/image/multiply.hpp"

#include "metal/image/arithmetic.hpp"

MPSKIT_METAL_KERNEL(image::Multiply, ArithmeticPlan<MPSImageMultiply>)
