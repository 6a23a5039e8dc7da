#include "kernels/image/lanczos_scale.hpp"

#include <algorithm>

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

struct Axis {
  double scale, translate;
};
// The same picture from numbers that single precision holds: far out all is edge pixel, and beyond this scale all is one point.
Axis tamed(Axis a, std::int64_t source, std::int64_t target) {
  constexpr double most = 1e12;
  if (a.scale > most) a = {most, a.translate / a.scale * most};
  const double reach = 4 * std::max(a.scale, 1.0) + 1;  // of the filter, in target pixels
  return {a.scale, std::clamp(a.translate, -static_cast<double>(source) * a.scale - reach, static_cast<double>(target) + reach)};
}

// MPS leaves open what a clip rectangle does when it fits the source to the target by itself: it always gets the transform.
MPSScaleTransform transform_of(const image::LanczosScale& k, const Layout& src, const Layout& dst) {
  const image::Window w = image::clip_window(k.clip_rect, dst);
  Axis x{static_cast<double>(dst.width()) / static_cast<double>(src.width()), -static_cast<double>(w.x)};
  Axis y{static_cast<double>(dst.height()) / static_cast<double>(src.height()), -static_cast<double>(w.y)};
  if (const auto& t = k.scale_transform) {
    x = tamed({t->scale_x, t->translate_x}, src.width(), dst.width());
    y = tamed({t->scale_y, t->translate_y}, src.height(), dst.height());
  }
  return {x.scale, y.scale, x.translate, y.translate};
}

retained<MPSUnaryImageKernel*> make(const image::LanczosScale& k, const Call& call, const Context& context) {
  auto filter = made(adopt([[MPSImageLanczosScale alloc] initWithDevice:context.device()]), context, k);
  const MPSScaleTransform transform = transform_of(k, call.inputs[0], call.outputs[0]);
  filter.get().scaleTransform = &transform;  // is copied
  return hold<MPSUnaryImageKernel*>(filter.get());
}

class Plan final : public UnaryPlan {
 public:
  Plan(const image::LanczosScale& k, const Call& call, const Context& context) : UnaryPlan(make(k, call, context), k, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::LanczosScale, Plan)
