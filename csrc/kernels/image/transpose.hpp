#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct Transpose : UnaryKernel {
  bool operator==(const Transpose&) const = default;

  static constexpr KernelInfo info{
      "Transpose", "Rows become columns.", "MPSImageTranspose, in MPSImageTranspose.h",
      "out[y, x] = image[x, y]: a picture of (height, width) makes one of (width, height). Values pass unchanged where image and out have one format. "
      "With clip_rect and offset, out[y, x] = image[offset.y + x - clip.x, offset.x + y - clip.y]: offset counts in the source. Apple does not "
      "say how they work together; on a GPU they may act otherwise. Beyond the border the edge mode decides."};
  static constexpr auto fields = unary_fields;
  static constexpr auto tolerances = tolerances_of_elements;

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    const Layout out = like_source(in[0], hints);
    return {Layout::image(out.dtype, out.images(), out.width(), out.height(), out.channels())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const { check_channelwise(info.name, *this, in, out); }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, Transpose)
