#pragma once
#include "kernels/common/kernel_options.hpp"
#include "metal/kernel.hpp"

namespace mpskit::metal {

inline MPSKernelOptions to_mps(KernelOptions o) { return o == KernelOptions::none ? MPSKernelOptionsNone : MPSKernelOptionsAllowReducedPrecision; }

}  // namespace mpskit::metal
