#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

// Integral and IntegralOfSquares.
struct RunningSumKernel : UnaryKernel {
  bool operator==(const RunningSumKernel&) const = default;

  static constexpr auto fields = unary_fields;
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 0, 2e-7, "one rounding; a GPU may add in float32, 1e-6 of the sum of magnitudes"}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const Layout out = like_source(in[0], hints);
    return {Layout::image(hints.dtype.value_or(DType::f32), out.images(), out.height(), out.width(), out.channels())};
  }
};

}  // namespace mpskit::image
