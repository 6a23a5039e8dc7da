#include "kernels/image/add.hpp"

#include "metal/image/arithmetic.hpp"

MPSKIT_METAL_KERNEL(image::Add, ArithmeticPlan<MPSImageAdd>)
