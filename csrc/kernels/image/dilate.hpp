#pragma once
#include "kernels/common/morphology.hpp"

namespace mpskit::image {

struct Dilate : UnaryKernel {
  std::optional<Array> values;
  std::optional<std::int64_t> kernel_width, kernel_height;
  bool operator==(const Dilate&) const = default;

  static constexpr KernelInfo info{
      "Dilate", "Largest value in a window, less the probe's.", "MPSImageDilate, in MPSImageMorphology.h",
      "out[y, x] = the largest image[y + j - kernel_height // 2, x + i - kernel_width // 2] - values[j, i]; the probe is not turned around. Its centre must be 0: Apple assumes so and does not say what happens "
      "otherwise. A value of 0 takes part as it is, 1 or more leaves a place of a picture in [0, 1] out; all zeros is AreaMax. Channels each for "
      "itself, alpha too. Beyond the border lies the nearest edge pixel. Outputs of uint8 and uint16 clamp. Do not pass NaN: of its windows any "
      "element may come out."};
  static constexpr Range side{.min = 1, .max = 255, .odd = true};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"values", &Dilate::values, Range{}, "", "The probe: float32, shape (kernel_height, kernel_width), odd sides up to 255, 0 in the centre."},
                 Field{"kernel_width", &Dilate::kernel_width, side, "px", "Width of the window; None takes it from the shape of values."},
                 Field{"kernel_height", &Dilate::kernel_height, side, "px", "Height of the window; None takes it from the shape of values."}},
      unary_fields);
  static constexpr int positional = 1;
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value; exact from uint8 where values are 0 or at least 1"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value; exact from uint16 where values are 0 or at least 1"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-6, 2e-7, "one float32 difference; absolute for values within [-1, 1]"}};

  WindowValues window() const { return probe_of(info.name, values, kernel_width, kernel_height); }
  void validate() const {
    check_clamped(info.name, edge_mode);
    window();
  }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const { return {like_source(in[0], hints)}; }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    check_same_channels(info.name, in[0], out[0]);
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Dilate)
