#pragma once
#include "metal/kernel.hpp"

// What the files of unary image kernels share.
namespace mpskit::metal {

inline Written to_written(const image::Window& w) { return {.x = w.x, .y = w.y, .width = w.width, .height = w.height}; }

// Apple's defaults of these differ from class to class: all are set.
inline void set_unary(MPSUnaryImageKernel* filter, const image::UnaryKernel& k, const image::Window& window) {
  filter.edgeMode = to_mps(k.edge_mode);
  filter.offset = to_mps(k.offset);
  filter.clipRect = to_mtl(window);
}

// One filter over every image and every four channels.
class UnaryPlan : public MetalPlan {
 public:
  UnaryPlan(retained<MPSUnaryImageKernel*> filter, const image::UnaryKernel& k, const Layout& target)
      : filter_(std::move(filter)), written_(to_written(image::clip_window(k.clip_rect, target))) {
    set_unary(filter_.get(), k, image::clip_window(k.clip_rect, target));
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], written_, [&](id<MTLTexture> source, id<MTLTexture> target) { encode_slice(e, source, target); });
  }

 protected:
  void encode_slice(Encoder& e, id<MTLTexture> source, id<MTLTexture> target) {
    [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
  }
  const Written& written() const { return written_; }

 private:
  retained<MPSUnaryImageKernel*> filter_;
  Written written_;
};

}  // namespace mpskit::metal
