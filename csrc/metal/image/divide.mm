#include "kernels/image/divide.hpp"

#include "metal/image/arithmetic.hpp"

MPSKIT_METAL_KERNEL(image::Divide, ArithmeticPlan<MPSImageDivide>)
