#pragma once
#include "kernels/common/pyramid_kernel.hpp"
#include "metal/image/unary.hpp"

// What the files of pyramids share. MPS keeps a pyramid in one mipmapped texture, whose levels are copied from and to the pictures.
namespace mpskit::metal {

template <class Filter, class K>
retained<Filter*> make_pyramid(const K& k, const Context& context) {
  retained<Filter*> filter;
  if (k.weights) {
    const image::WindowValues w = k.window(k.info.name);
    filter = adopt([[Filter alloc] initWithDevice:context.device()
                                      kernelWidth:static_cast<NSUInteger>(w.width)
                                     kernelHeight:static_cast<NSUInteger>(w.height)
                                          weights:w.values.data()]);
  } else {
    filter = adopt([[Filter alloc] initWithDevice:context.device() centerWeight:k.center_weight]);
  }
  filter = made(std::move(filter), context, k);
  filter.get().edgeMode = to_mps(k.edge_mode);
  return filter;
}

// A scratch texture with the mipmaps of this pyramid.
inline Encoder::Scratch scratch_levels(Encoder& e, std::span<const Operand> levels) {
  const Layout& l = levels[0].layout;
  return e.scratch(pixel_format(l.dtype, l.channels()), l.width(), l.height(), levels.size());
}

// LaplacianPyramidSubtract and LaplacianPyramidAdd, which leave the last level to us.
template <class Filter, class K>
class LaplacianPyramidPlan final : public MetalPlan {
 public:
  LaplacianPyramidPlan(const K& k, const Call&, const Context& context) : filter_(make_pyramid<Filter>(k, context)) {
    filter_.get().laplacianBias = k.laplacian_bias;
    filter_.get().laplacianScale = k.laplacian_scale;
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    const auto from = o.first(o.size() / 2), to = o.last(o.size() / 2);
    e.each_slice(from, to, [&](const auto& sources, const auto& targets) {
      const std::size_t last = sources.size() - 1;
      e.copy(sources[last], targets[last]);
      if (last == 0) return;
      const Encoder::Scratch source = scratch_levels(e, from), target = scratch_levels(e, to);
      for (std::size_t i = 0; i <= last; ++i) e.copy(sources[i], source.level(i));
      [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source.texture() destinationTexture:target.texture()];
      for (std::size_t i = 0; i < last; ++i) e.copy(target.level(i), targets[i]);
    });
  }

 private:
  retained<Filter*> filter_;
};

}  // namespace mpskit::metal
