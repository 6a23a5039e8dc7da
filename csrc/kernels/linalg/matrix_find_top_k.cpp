#include "kernels/linalg/matrix_find_top_k.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

Window MatrixFindTopK::window(const Layout& source, const Layout* indices, const Layout* values) const {
  const std::int64_t k = number_of_top_k_values;
  window_of(info.name, *this, sizes(), source, indices, k);
  const Window w = window_of(info.name, *this, sizes(), source, values, k);
  if (k > w.columns)
    throw ValueError(cat(info.name, ": number_of_top_k_values is ", k, ", the window of source has ", w.columns, " columns; allowed: at most as many. Pass a smaller number."));
  return w;
}

}  // namespace mpskit::linalg
