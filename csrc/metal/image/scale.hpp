#pragma once
#include <algorithm>

#include "kernels/common/scale_kernel.hpp"
#include "metal/image/unary.hpp"

namespace mpskit::metal {

struct ScaledAxis {
  double scale, translate;
};
// The same picture from numbers that single precision holds: far out all is edge pixel, and beyond this scale all is one point.
inline ScaledAxis tamed(ScaledAxis a, std::int64_t source, std::int64_t target) {
  constexpr double most = 1e12;
  if (a.scale > most) a = {most, a.translate / a.scale * most};
  const double reach = 4 * std::max(a.scale, 1.0) + 1;  // of the filter, in target pixels
  return {a.scale, std::clamp(a.translate, -static_cast<double>(source) * a.scale - reach, static_cast<double>(target) + reach)};
}

// MPS leaves open what a clip rectangle does when it fits the source to the target by itself: it always gets the transform.
inline MPSScaleTransform transform_of(const image::ScaleKernel& k, const Layout& src, const Layout& dst) {
  const image::Window w = image::clip_window(k.clip_rect, dst);
  ScaledAxis x{static_cast<double>(dst.width()) / static_cast<double>(src.width()), -static_cast<double>(w.x)};
  ScaledAxis y{static_cast<double>(dst.height()) / static_cast<double>(src.height()), -static_cast<double>(w.y)};
  if (const auto& t = k.scale_transform) {
    x = tamed({t->scale_x, t->translate_x}, src.width(), dst.width());
    y = tamed({t->scale_y, t->translate_y}, src.height(), dst.height());
  }
  return {x.scale, y.scale, x.translate, y.translate};
}

template <class Filter>  // MPSImageLanczosScale, MPSImageBilinearScale
class ScalePlan : public UnaryPlan {
 public:
  template <class K>
  ScalePlan(const K& k, const Call& call, const Context& context) : UnaryPlan(make(k, call, context), k, call.outputs[0]) {}

 private:
  template <class K>
  static retained<MPSUnaryImageKernel*> make(const K& k, const Call& call, const Context& context) {
    auto filter = made(adopt([[Filter alloc] initWithDevice:context.device()]), context, k);
    const MPSScaleTransform transform = transform_of(k, call.inputs[0], call.outputs[0]);
    filter.get().scaleTransform = &transform;  // is copied
    return hold<MPSUnaryImageKernel*>(filter.get());
  }
};

}  // namespace mpskit::metal
