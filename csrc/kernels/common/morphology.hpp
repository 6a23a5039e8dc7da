#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/window_kernel.hpp"

// What morphology shares: Apple's classes read the nearest edge pixel beyond the border whatever their edge mode says.
namespace mpskit::image {

inline void check_clamped(std::string_view kernel, EdgeMode edge_mode) {
  if (edge_mode != EdgeMode::clamp)
    throw ValueError(cat(kernel, ": edge_mode is 'zero'; allowed: 'clamp', as Apple's morphology knows no other. Pad the picture and filter that."));
}

// AreaMax and AreaMin.
struct AreaKernel : WindowKernel<1023> {
  bool operator==(const AreaKernel&) const = default;

  static constexpr auto fields = std::tuple_cat(window_fields, unary_fields);
  static constexpr auto tolerances = tolerances_of_elements;
};

// Dilate and Erode.
struct ProbeKernel : UnaryKernel {
  std::optional<Array> values;
  std::optional<std::int64_t> kernel_width, kernel_height;
  bool operator==(const ProbeKernel&) const = default;

  static constexpr Range side{.min = 1, .max = 255, .odd = true};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"values", &ProbeKernel::values, Range{}, "", "The probe: float32, shape (kernel_height, kernel_width), odd sides up to 255, 0 in the centre."},
                 Field{"kernel_width", &ProbeKernel::kernel_width, side, "px", "Width of the window; None takes it from the shape of values."},
                 Field{"kernel_height", &ProbeKernel::kernel_height, side, "px", "Height of the window; None takes it from the shape of values."}},
      unary_fields);
  static constexpr int positional = 1;
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value; exact from uint8 where values are 0 or at least 1"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value; exact from uint16 where values are 0 or at least 1"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-6, 2e-7, "one float32 difference; absolute for values within [-1, 1]"}};
};

inline WindowValues probe_of(std::string_view kernel, const ProbeKernel& k) {
  const WindowValues w = window_values(kernel, "values", k.values, k.kernel_width, k.kernel_height);
  if (w.centre() != 0)
    throw ValueError(cat(kernel, ": values has ", w.centre(), " in its centre; allowed: 0, as Apple's classes assume. Subtract it from all of them."));
  return w;
}

}  // namespace mpskit::image
