#include "kernels/image/find_keypoints.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {

std::vector<Window> FindKeypoints::windows(const Layout& src) const {
  if (regions.empty()) return {{0, 0, src.width(), src.height()}};
  std::vector<Window> all;
  for (const auto& [x, y, width, height] : regions) all.push_back(clip_window({{x, y, 0}, {width, height, Region::unlimited}}, src));
  return all;
}

Layouts FindKeypoints::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.dtype)
    throw TypeError(cat(info.name, ": dtype is ", name_of(*hints.dtype), "; allowed: none, keypoints are records and counts uint32. Leave it out."));
  if (hints.channels) throw ValueError(cat(info.name, ": channels is ", *hints.channels, "; allowed: none, keypoints have no channels. Leave it out."));
  const auto rows = static_cast<std::int64_t>(std::max<std::size_t>(regions.size(), 1));
  return {Layout::matrix(DType::u32, rows, 2 * maximum_keypoints, in[0].images()), Layout::vector(DType::u32, rows, in[0].images())};
}

void FindKeypoints::check(std::span<const Layout> in, std::span<const Layout> out) const {
  const Layout& src = in[0];
  if (src.is_empty()) throw ValueError(cat(info.name, ": image is ", src.describe(), "; allowed: at least one pixel."));
  if (src.channels() != 1)
    throw ValueError(cat(info.name, ": image has ", counted(src.channels(), "channel"), "; allowed: 1. Pass one of them, or a picture of corner strengths."));
  check_found(info.name, src, "x and y");
  const std::vector<Window> all = windows(src);
  for (std::size_t r = 0; r < all.size(); ++r)
    if (all[r].width <= 0 || all[r].height <= 0)
      throw ValueError(cat(info.name, ": region ", r, " is (", regions[r][0], ", ", regions[r][1], ", ", regions[r][2], ", ", regions[r][3], ") and holds no pixel of image (",
                           src.width(), " x ", src.height(), "); allowed: rectangles that meet it. Pass (x, y, width, height)."));
  const Layouts wanted = infer(in, {});
  if (out[0].extent != wanted[0].extent)
    throw ValueError(cat(info.name, ": keypoints is ", out[0].describe(), "; allowed: ", wanted[0].describe(), ", two words for each of maximum_keypoints in each region. Make it of that shape, or half as wide "
                         "of mps.image.KeypointData."));
  if (out[1].extent != wanted[1].extent)
    throw ValueError(cat(info.name, ": counts is ", out[1].describe(), "; allowed: ", wanted[1].describe(), ", one for each region. Make it so, or omit out."));
}

}  // namespace mpskit::image
