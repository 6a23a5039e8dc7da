#include "kernels/image/ed_lines.hpp"

#include "metal/image/found.hpp"
#include "metal/image/unary.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

class EDLinesPlan final : public MetalPlan {
 public:
  EDLinesPlan(const image::EDLines& k, const Call& call, const Context& context)
      : maximum_(static_cast<NSUInteger>(k.max_lines)),
        filter_(made(adopt([[MPSImageEDLines alloc] initWithDevice:context.device()
                                                     gaussianSigma:k.gaussian_sigma
                                                     minLineLength:static_cast<unsigned short>(k.min_line_length)
                                                          maxLines:maximum_
                                                       detailRatio:static_cast<unsigned short>(k.detail_ratio)
                                                 gradientThreshold:k.gradient_threshold
                                                lineErrorThreshold:k.line_error_threshold
                                            mergeLocalityThreshold:k.merge_locality_threshold]),
                     context, k)) {
    filter_.get().clipRectSource = to_mtl(image::clip_window(k.clip_rect_source, call.inputs[0]));
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    id<MTLBuffer> found = found_buffer(e, "EDLines", 4 + 8 * maximum_, "segments", "max_lines");
    const Place endpoints = e.place(o[1]), counts = e.place(o[2]);
    std::int64_t image = 0;
    const auto find = [&](id<MTLTexture> source, id<MTLTexture> edges) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:edges endpointBuffer:found endpointOffset:0];
      EndpointsArguments a{};
      a.dst_offset = endpoints.offset + static_cast<std::size_t>(image * o[1].layout.matrix_bytes());
      a.dst_row_bytes = static_cast<unsigned long>(o[1].layout.row_bytes());
      a.count_offset = counts.offset + static_cast<std::size_t>(image++ * 4);
      a.maximum = static_cast<unsigned int>(maximum_);
      Encoder::Pass(e, "copy_endpoints").add({found, endpoints.buffer, counts.buffer}, {}, a, MTLSizeMake(maximum_, 1, 1));
    };
    if (o.size() > 3) e.each_slice(o[0], o[3], Written{}, find);
    else e.each_source(o[0], [&](id<MTLTexture> source, std::int64_t, std::int64_t) { find(source, nil); });
  }

 private:
  NSUInteger maximum_;
  retained<MPSImageEDLines*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::EDLines, EDLinesPlan)
