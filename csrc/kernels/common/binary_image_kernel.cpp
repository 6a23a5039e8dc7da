#include "kernels/common/binary_image_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {
namespace {

UnaryKernel writing(const Region& clip_rect) {
  UnaryKernel k;
  k.clip_rect = clip_rect;
  return k;
}

}  // namespace

bool BinaryKernel::reads_outputs(std::span<const Layout> outputs) const { return writing(clip_rect).reads_outputs(outputs); }

void check_binary(std::string_view kernel, const BinaryKernel& k, std::span<const Layout> in, const Layout& dst) {
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string_view name = BinaryKernel::operands[i].name;
    const Offset& offset = i == 0 ? k.primary_offset : k.secondary_offset;
    if (in[i].is_empty()) throw ValueError(cat(kernel, ": ", name, " is ", in[i].describe(), "; allowed: at least one pixel and one channel."));
    if (in[i].channels() != dst.channels())
      throw ValueError(cat(kernel, ": ", name, " has ", counted(in[i].channels(), "channel"), ", out has ", dst.channels(),
                           "; allowed: the same number in all three. Repeat the channels of the smaller one, or pass another out."));
    if (offset.z != 0)
      throw ValueError(cat(kernel, ": ", name, "_offset selects images by z; allowed: x and y. Slice the batch instead."));
  }
  check_unary(kernel, writing(k.clip_rect), dst, dst);
}

}  // namespace mpskit::image
