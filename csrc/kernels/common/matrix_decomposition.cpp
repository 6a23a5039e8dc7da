#include "kernels/common/matrix_decomposition.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void require_status(std::string_view kernel, const Layout& status, std::int64_t matrices) {
  if (status.vectors() != 1 || status.length() != matrices)
    throw ValueError(cat(kernel, ": status is ", status.describe(), "; allowed: (", matrices, ",), a number for each matrix. Pass such an array, or omit out."));
}

}  // namespace mpskit::linalg
