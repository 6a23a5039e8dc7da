#pragma once
#include "kernels/common/binary_image_kernel.hpp"
#include "metal/image/unary.hpp"

// What the files of binary image kernels share.
namespace mpskit::metal {

// One filter over every image and every four channels of two pictures.
class BinaryPlan : public MetalPlan {
 public:
  BinaryPlan(retained<MPSBinaryImageKernel*> filter, const image::BinaryKernel& k, const Layout& target) : filter_(std::move(filter)) {
    const image::Window window = image::clip_window(k.clip_rect, target);
    filter_.get().primaryOffset = to_mps(k.primary_offset);
    filter_.get().secondaryOffset = to_mps(k.secondary_offset);
    filter_.get().primaryEdgeMode = to_mps(k.primary_edge_mode);
    filter_.get().secondaryEdgeMode = to_mps(k.secondary_edge_mode);
    filter_.get().clipRect = to_mtl(window);
    written_ = to_written(window);
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], o[2], written_, [&](id<MTLTexture> primary, id<MTLTexture> secondary, id<MTLTexture> target) {
      [filter_.get() encodeToCommandBuffer:e.commands() primaryTexture:primary secondaryTexture:secondary destinationTexture:target];
    });
  }

 private:
  retained<MPSBinaryImageKernel*> filter_;
  Written written_;
};

}  // namespace mpskit::metal
