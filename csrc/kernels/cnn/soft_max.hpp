#pragma once
#include "kernels/common/cnn_kernel.hpp"

namespace mpskit::cnn {

struct SoftMax : UnaryKernel {
  bool operator==(const SoftMax&) const = default;

  static constexpr KernelInfo info{
      "SoftMax", "The channels of each pixel as probabilities.", "MPSCNNSoftMax, in MPSCNNSoftMax.h",
      "exp(x - max) / sum(exp(x - max)) over the channels of each pixel. Subtracting the largest value keeps every input from overflowing; "
      "results below the least normal float32 may be 0. A pixel with a NaN or with infinity is NaN in all its channels, but channels of "
      "minus infinity beside finite ones are 0."};
  static constexpr auto fields = unary_fields;
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 6e-8, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 3e-8, 1e-6, "the rounding of x - max, an exponential, a sum and a division"}};

  void validate() const { require_unary(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    return {result_of(info.name, *this, in[0], in[0].height(), in[0].width(), channels_read(info.name, *this, in[0]), hints)};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    part_of(info.name, *this, in[0], out[0], channels_read(info.name, *this, in[0]));
    require_size(info.name, *this, out[0], in[0].height(), in[0].width(), "image is");
  }
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(*this, out[0], {}); }
};

}  // namespace mpskit::cnn

MPSKIT_KERNEL(cnn, SoftMax)
