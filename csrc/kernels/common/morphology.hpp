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

// The numbers of Dilate and Erode.
inline WindowValues probe_of(std::string_view kernel, const std::optional<Array>& values, const std::optional<std::int64_t>& width,
                             const std::optional<std::int64_t>& height) {
  const WindowValues w = window_values(kernel, "values", values, width, height);
  if (w.centre() != 0)
    throw ValueError(cat(kernel, ": values has ", w.centre(), " in its centre; allowed: 0, as Apple's classes assume. Subtract it from all of them."));
  return w;
}

}  // namespace mpskit::image
