#pragma once
// What every Metal kernel file includes, and how one looks.
//
// A file csrc/metal/<family>/<stem>.mm holds object creation and encoding of one kernel and nothing else. Checks are over before
// it is asked (descriptor); buffers, textures, MPS wrappers, temporaries and their lives are the Encoder's. About thirty lines:
//
//   #include "kernels/cnn/pooling_max.hpp"
//   #include "metal/kernel.hpp"
//
//   namespace mpskit::metal {
//   namespace {
//   class Plan final : public MetalPlan {
//    public:
//     Plan(const cnn::PoolingMax& k, const Call& call, const Context& context)
//         : filter_(made(adopt([[MPSCNNPoolingMax alloc] initWithDevice:context.device() kernelWidth:...]), context, k)) {
//       filter_.get().edgeMode = to_mps(k.edge_mode);                       // set every property that matters: Apple's
//       filter_.get().clipRect = to_mps(clip_window(...));                  // defaults differ from class to class
//     }
//     void encode(Encoder& e, std::span<const Operand> o) override {       // inputs first
//       e.each_batch(o[0], 0, o[1], 0, o[0].layout.images(), written_, [&](MPSImageBatch* sources, MPSImageBatch* targets) {
//         [filter_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:sources destinationImages:targets];
//       });
//     }
//    private:
//     retained<MPSCNNPoolingMax*> filter_;
//   };
//   }  // namespace
//   }  // namespace mpskit::metal
//   MPSKIT_METAL_KERNEL(cnn::PoolingMax, Plan)
//
// - The constructor runs inside guard(); it makes objects once. `made` holds the label and the nil check.
// - `encode` may be called from many threads, never by two at a time: a plan has a lock, as MPS kernels are not thread-safe.
//   Compute nothing there, wait for nothing, call no Python. Encoders that it opens it also ends.
// - What it gets from the Encoder is valid until it returns; what else the device needs until it is done goes to `e.keep()`.
// - A static member `std::optional<std::string> refuses(const K&, const Call&, const Context&)` is for what MPS cannot do; words
//   that end in what would help. Sides of images and bytes of buffers are looked at before.
// - A static member `GraphNode node(const K&, const Call&, NSArray<MPSNNImageNode*>*)` is for kernels that MPSNNGraph knows: cnn/node.hpp.
// - No catch, no retain and release, no @autoreleasepool, no a[0] on an NSArray, blocks capture locals of their own lambda only:
//   holder.hpp and guard.hpp say why.
#include <algorithm>
#include <mutex>
#include <span>

#include "core/engine.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"
#include "kernels/common/kernel_options.hpp"
#include "metal/context.hpp"
#include "metal/encoder.hpp"
#include "metal/guard.hpp"
#include "metal/holder.hpp"
#include "metal/registry.hpp"

namespace mpskit::metal {

class MetalPlan : public Plan {
 public:
  virtual void encode(Encoder& encoder, std::span<const Operand> operands) = 0;
  std::mutex& mutex() { return mutex_; }

 private:
  std::mutex mutex_;  // one encoder at a time
};

// A kernel object that was just made: labelled for captures, with its options, DeviceError when there is none.
template <class T, class K>
retained<T> made(retained<T> object, const Context& context, [[maybe_unused]] const K& k) {
  if (!object) throw DeviceError(cat(K::info.name, ": ", context.info().name, " made no ", K::info.reference, "; it may be out of memory. Free arrays, or pass device=\"cpu\"."));
  object.get().label = to_ns(K::info.name);
  if constexpr (requires { k.options; }) object.get().options = k.options == KernelOptions::none ? MPSKernelOptionsNone : MPSKernelOptionsAllowReducedPrecision;
  return object;
}

// ---- MPS' structs for ours
inline MPSImageEdgeMode to_mps(EdgeMode m) { return m == EdgeMode::zero ? MPSImageEdgeModeZero : MPSImageEdgeModeClamp; }
// Farther out than this all is border; Apple's sums are not known to hold more.
inline std::int64_t kept_near(std::int64_t offset) { return std::clamp<std::int64_t>(offset, -(1 << 28), 1 << 28); }
inline MPSOffset to_mps(const Offset& o) {
  const auto near = [](std::int64_t v) { return static_cast<NSInteger>(kept_near(v)); };
  return {near(o.x), near(o.y), near(o.z)};
}
inline MTLOrigin to_mtl(const Origin& o) {
  return MTLOriginMake(static_cast<NSUInteger>(o.x), static_cast<NSUInteger>(o.y), static_cast<NSUInteger>(o.z));
}
inline MTLRegion to_mtl(const image::Window& w) {
  return MTLRegionMake2D(static_cast<NSUInteger>(w.x), static_cast<NSUInteger>(w.y), static_cast<NSUInteger>(w.width),
                         static_cast<NSUInteger>(w.height));
}

template <class K, class P>
constexpr decltype(Registration::node) node_maker() {
  if constexpr (requires { &P::node; })
    return [](const Kernel& kernel, const Call& call, const void* sources) {
      return P::node(static_cast<const KernelOf<K>&>(kernel).value(), call, static_cast<NSArray*>(const_cast<void*>(sources)));
    };
  else return nullptr;
}

template <class K, class P>
constexpr Registration registration{
    [](const Kernel& kernel, const Call& call, const Context& context) -> std::unique_ptr<MetalPlan> {
      return std::make_unique<P>(static_cast<const KernelOf<K>&>(kernel).value(), call, context);
    },
    [](const Kernel& kernel, const Call& call, const Context& context) -> std::optional<std::string> {
      const K& k = static_cast<const KernelOf<K>&>(kernel).value();
      if constexpr (requires { P::refuses(k, call, context); }) return P::refuses(k, call, context);
      else return std::nullopt;
    },
    node_maker<K, P>()};

}  // namespace mpskit::metal

// MPSKIT_METAL_KERNEL(image::GaussianBlur, Plan): Plan(const image::GaussianBlur&, const Call&, const Context&) makes it.
#define MPSKIT_METAL_KERNEL(K, P)                                                                                             \
  namespace mpskit::metal {                                                                                                   \
  [[maybe_unused]] static const bool registered = (register_kernel(kernel_type<::mpskit::K>(), registration<::mpskit::K, P>), true); \
  }
