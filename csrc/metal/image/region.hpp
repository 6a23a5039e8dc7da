#pragma once
#include "kernels/common/region_kernel.hpp"
#include "metal/image/unary.hpp"

namespace mpskit::metal {

// Statistics and reductions: they read through clipRectSource, offset and edge mode mean nothing to them, and clipRect is where they write.
template <class Filter>
class RegionPlan : public MetalPlan {
 public:
  template <class K>
  RegionPlan(const K& k, const Call& call, const Context& context) : filter_(made(adopt([[Filter alloc] initWithDevice:context.device()]), context, k)) {
    const image::Window results = image::results_window(k, call.outputs[0], k.extent(call.inputs[0]));
    set_unary(filter_.get(), image::UnaryKernel{}, results);
    filter_.get().clipRectSource = to_mtl(k.source_window(call.inputs[0]));
    written_ = to_written(results);
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], written_, [&](id<MTLTexture> source, id<MTLTexture> target) {
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
    });
  }

 private:
  retained<Filter*> filter_;
  Written written_;
};

}  // namespace mpskit::metal
