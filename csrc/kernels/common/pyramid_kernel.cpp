#include "kernels/common/pyramid_kernel.hpp"

#include <algorithm>
#include <bit>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/image/gaussian_pyramid.hpp"

namespace mpskit::image {

std::size_t most_levels(const Layout& l) {
  return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>({l.width(), l.height(), 1}))));
}

std::vector<float> PyramidKernel::taps() const {
  const double a = static_cast<double>(center_weight);
  const auto outer = static_cast<float>(0.25 - a / 2);
  return {outer, 0.25f, center_weight, 0.25f, outer};
}

void check_pyramid(std::string_view kernel, const PyramidKernel& k) {
  if (!k.weights || k.weights->is_null()) {
    if (k.kernel_width || k.kernel_height)
      throw ValueError(cat(kernel, ": kernel_", k.kernel_width ? "width" : "height", " is given without weights; allowed: with them. Pass weights, or omit it."));
    return;
  }
  if (k.center_weight != PyramidKernel{}.center_weight)
    throw ValueError(cat(kernel, ": weights and center_weight are both given; allowed: one. Omit center_weight."));
  k.window(kernel);
}

void check_laplacian_pyramid(std::string_view kernel, const LaplacianPyramidKernel& k) {
  check_pyramid(kernel, k);
  if (k.laplacian_scale == 0)
    throw ValueError(cat(kernel, ": laplacian_scale is 0; allowed: any other number, as LaplacianPyramidAdd divides by it. Pass 1 for differences as they are."));
}

void require_levels(std::string_view kernel, std::string_view name, std::span<const Layout> levels) {
  const Layout& first = levels[0];
  if (first.is_empty()) throw ValueError(cat(kernel, ": ", name, " begins with ", first.describe(), "; allowed: at least one pixel and one channel."));
  if (const std::size_t most = most_levels(first); levels.size() > most)
    throw ValueError(cat(kernel, ": ", name, " has ", levels.size(), " levels; allowed: at most ", most, " from ", first.width(), " x ", first.height(),
                         " pixels down to one. Pass fewer."));
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const Layout wanted = Layout::image(first.dtype, first.images(), pyramid_side(first.height(), i), pyramid_side(first.width(), i), first.channels());
    if (levels[i].extent != wanted.extent || levels[i].dtype != wanted.dtype)
      throw ValueError(cat(kernel, ": level ", i, " of ", name, " is ", levels[i].describe(), "; allowed: ", wanted.describe(),
                           ". Each level is half of the one before, rounded down."));
  }
}

void GaussianPyramid::check(std::span<const Layout> in, std::span<const Layout> out) const {
  if (in[0].is_empty()) throw ValueError(cat(info.name, ": image is ", in[0].describe(), "; allowed: at least one pixel and one channel."));
  if (levels && out.size() != static_cast<std::size_t>(levels))
    throw ValueError(cat(info.name, ": levels is ", levels, ", out has ", out.size(), "; allowed: the same number. Pass levels=", out.size(), ", or omit it."));
  if (const std::size_t most = most_levels(in[0]); out.size() > most)
    throw ValueError(cat(info.name, ": levels is ", out.size(), "; allowed: 0 <= levels <= ", most, " for ", in[0].width(), " x ", in[0].height(), " pixels. Pass fewer."));
  if (in[0].extent != out[0].extent)
    throw ValueError(cat(info.name, ": image is ", in[0].describe(), ", level 0 of out is ", out[0].describe(), "; allowed: the same shape. Omit out and channels, or make them fit."));
  require_levels(info.name, "out", out);
}

Layouts LaplacianPyramidKernel::infer(std::span<const Layout> in, const OutputHints& hints) const {
  Layouts out;
  for (const Layout& l : in) out.push_back(like_source(l, hints));
  return out;
}

void check_laplacian_pyramid(std::string_view kernel, std::span<const Layout> in, std::span<const Layout> out) {
  require_levels(kernel, "pyramid", in);
  if (in.size() != out.size())
    throw ValueError(cat(kernel, ": pyramid has ", in.size(), " levels, out has ", out.size(), "; allowed: as many. Pass an out of ", in.size(), " levels, or omit it."));
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i].extent != out[i].extent || in[i].dtype != out[i].dtype)
      throw ValueError(cat(kernel, ": level ", i, " of out is ", out[i].describe(), "; allowed: ", in[i].describe(), ", as in pyramid. Omit out, dtype and channels, or make them fit."));
}

}  // namespace mpskit::image
