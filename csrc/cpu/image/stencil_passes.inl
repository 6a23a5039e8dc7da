#pragma once
// Windows of weights as other kernels ask for them; the code is the convolution's.
#include "kernels/common/image_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

struct StencilWeights {
  std::int64_t width, height;
  std::vector<float> values;  // row by row
};
// A plan of one pass or two, one after the other; `factor` goes to each result, beside what the formats' units ask for. In convolution.cpp.
std::unique_ptr<CpuPlan> stencil_plan(const image::UnaryKernel& k, std::vector<StencilWeights> passes, float factor, const Call& call);

}  // namespace mpskit::cpu::MPSKIT_ISA
