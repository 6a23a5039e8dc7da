#include "kernels/common/threshold_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

void check_threshold(std::string_view kernel, const UnaryKernel& k, const Layout& src, const Layout& dst) {
  check_unary(kernel, k, src, dst);
  if (dst.channels() != 1)
    throw ValueError(cat(kernel, ": out has ", counted(dst.channels(), "channel"), "; allowed: 1. Thresholds are taken of gray pictures; split the channels to have one of each."));
}

}  // namespace mpskit::image
