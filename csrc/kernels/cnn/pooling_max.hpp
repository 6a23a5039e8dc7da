#pragma once
#include "kernels/common/cnn_kernel.hpp"

namespace mpskit::cnn {

struct PoolingMax : WindowKernel {
  std::int64_t kernel_width = 2, kernel_height = 2;
  std::int64_t stride_in_pixels_x = 1, stride_in_pixels_y = 1;
  bool operator==(const PoolingMax&) const = default;

  static constexpr KernelInfo info{
      "PoolingMax", "Largest value of each window, channel by channel.", "MPSCNNPoolingMax, in MPSCNNPooling.h",
      "With edge_mode 'zero', Apple's default for this class, zeros beyond the border take part and win over negative values; with "
      "'clamp', which graph nodes take, a window holds the pixels of the image alone. A window has its centre at offset + stride * pixel; even "
      "ones reach one pixel further to the left and top. A window with a NaN may give NaN or its largest number."};
  static constexpr Range count{.min = 1, .max = 1 << 16};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"kernel_width", &PoolingMax::kernel_width, count, "px", "Columns of a window."},
                 Field{"kernel_height", &PoolingMax::kernel_height, count, "px", "Rows of a window."},
                 Field{"stride_in_pixels_x", &PoolingMax::stride_in_pixels_x, count, "px", "Columns from one window to the next."},
                 Field{"stride_in_pixels_y", &PoolingMax::stride_in_pixels_y, count, "px", "Rows from one window to the next."}},
      window_fields);
  static constexpr std::array aliases{Alias{"kernel_size", {"kernel_width", "kernel_height"}}, Alias{"stride", {"stride_in_pixels_x", "stride_in_pixels_y"}}};
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "exact from uint8; one code of the rounded value from other dtypes"},
      Tolerance{DType::u16, 1, 0, "exact from uint16; one code of the rounded value from other dtypes"},
      Tolerance{DType::f16, 6e-8, 4.9e-4, "exact from float16; one rounding to half precision from other dtypes"},
      Tolerance{DType::f32, 0, 1.3e-7, "exact from floats; two roundings of the quotient from uint8 and uint16"}};

  Taps taps_y() const { return {kernel_height, stride_in_pixels_y, 1}; }
  Taps taps_x() const { return {kernel_width, stride_in_pixels_x, 1}; }

  void validate() const { require_unary(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const ResultSize size = result_size(info.name, in[0], taps_y(), taps_x());
    return {result_of(info.name, *this, in[0], size.height, size.width, channels_read(info.name, *this, in[0]), hints)};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    part_of(info.name, *this, in[0], out[0], channels_read(info.name, *this, in[0]));
    const ResultSize size = result_size(info.name, in[0], taps_y(), taps_x());
    require_size(info.name, *this, out[0], size.height, size.width);
  }
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(*this, out[0], {}); }
};

}  // namespace mpskit::cnn

MPSKIT_KERNEL(cnn, PoolingMax)
