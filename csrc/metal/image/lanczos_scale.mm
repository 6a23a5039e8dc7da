#include "kernels/image/lanczos_scale.hpp"

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

// MPS leaves open what a clip rectangle does when it fits the source to the target by itself: it always gets the transform.
MPSScaleTransform transform_of(const image::LanczosScale& k, const Layout& src, const Layout& dst) {
  if (k.scale_transform) return {k.scale_transform->scale_x, k.scale_transform->scale_y, k.scale_transform->translate_x, k.scale_transform->translate_y};
  const image::Window w = image::clip_window(k.clip_rect, dst);
  return {static_cast<double>(dst.width()) / static_cast<double>(src.width()), static_cast<double>(dst.height()) / static_cast<double>(src.height()),
          -static_cast<double>(w.x), -static_cast<double>(w.y)};
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
