#include "kernels/common/window_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

WindowValues window_values(std::string_view kernel, std::string_view name, const std::optional<Array>& array, const std::optional<std::int64_t>& width,
                           const std::optional<std::int64_t>& height) {
  constexpr std::int64_t most = 255;
  if (!array || array->is_null())
    throw ValueError(cat(kernel, ": ", name, " is None; allowed: a float32 array of (kernel_height, kernel_width). Pass ", name, "=array."));
  if (array->dtype != DType::f32)
    throw TypeError(cat(kernel, ": ", name, " is ", name_of(array->dtype), "; allowed: float32. Pass ", name, ".astype('float32')."));
  const bool is_grid = array->shape.size() == 2;
  if (!is_grid && !(width && height))
    throw ValueError(cat(kernel, ": ", name, " is ", array->describe(), "; allowed: the shape (kernel_height, kernel_width). Reshape it, or pass kernel_width and kernel_height."));
  const std::int64_t columns = width.value_or(is_grid ? array->shape[1] : 0), rows = height.value_or(is_grid ? array->shape[0] : 0);
  if (columns * rows != array->elements() || (is_grid && array->shape[1] != columns))
    throw ValueError(cat(kernel, ": ", name, " is ", array->describe(), "; allowed: ", rows, " x ", columns, " numbers, kernel_height x kernel_width. Leave both out, or make them fit."));
  for (const std::int64_t side : {rows, columns})
    if (side % 2 == 0 || side > most)
      throw ValueError(cat(kernel, ": ", name, " is ", rows, " x ", columns, "; allowed: odd sides from 1 to ", most, ". Pad it with zeros to an odd size."));
  for (const float v : array->floats())
    if (!std::isfinite(v))
      throw ValueError(cat(kernel, ": ", name, " has ", v, " in it; allowed: finite numbers. Pass others."));
  return {columns, rows, array->floats()};
}

std::optional<WindowProduct> product_of(const WindowValues& w) {
  const auto most = static_cast<std::int64_t>(std::max_element(w.values.begin(), w.values.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }) - w.values.begin());
  const std::int64_t row = most / w.width, column = most % w.width;
  const double peak = static_cast<double>(w.at(row, column));
  if (peak == 0) return std::nullopt;
  for (std::int64_t j = 0; j < w.height; ++j)
    for (std::int64_t i = 0; i < w.width; ++i) {
      const double wanted = static_cast<double>(w.at(j, i)), product = static_cast<double>(w.at(j, column)) * static_cast<double>(w.at(row, i)) / peak;
      if (!(std::abs(wanted - product) <= 0x1p-22 * std::abs(wanted))) return std::nullopt;
    }
  WindowProduct p;
  for (std::int64_t j = 0; j < w.height; ++j) p.down.push_back(w.at(j, column));
  for (std::int64_t i = 0; i < w.width; ++i) p.across.push_back(static_cast<float>(static_cast<double>(w.at(row, i)) / peak));
  return p;
}

}  // namespace mpskit::image
