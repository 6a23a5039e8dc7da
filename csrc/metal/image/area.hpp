#pragma once
#include <vector>

#include "metal/image/unary.hpp"

// AreaMax and AreaMin. Apple's classes never end with windows of 483 px and more, so large windows are several smaller ones: sides m and
// n in turn are m + n - 1. Between two of them lies the written part with the margin that the later ones reach into, so that none
// but the first meets the border.
namespace mpskit::metal {

template <class Filter>  // MPSImageAreaMax, MPSImageAreaMin
class AreaPlan : public MetalPlan {
 public:
  template <class K>
  AreaPlan(const K& k, const Call& call, const Context& context)
      : window_(image::clip_window(k.clip_rect, call.outputs[0])), format_(pixel_format(call.inputs[0].dtype, call.inputs[0].channels())) {
    const std::int64_t rx = k.kernel_width / 2, ry = k.kernel_height / 2;
    for (std::int64_t left_x = rx, left_y = ry; steps_.empty() || left_x > 0 || left_y > 0;) {
      const std::int64_t x = std::min(left_x, most_radius), y = std::min(left_y, most_radius);
      left_x -= x;
      left_y -= y;
      Step s;
      s.filter = made(adopt([[Filter alloc] initWithDevice:context.device()
                                               kernelWidth:static_cast<NSUInteger>(2 * x + 1)
                                              kernelHeight:static_cast<NSUInteger>(2 * y + 1)]),
                      context, k);
      const bool is_last = left_x == 0 && left_y == 0;
      s.target = is_last ? window_ : image::Window{0, 0, window_.width + 2 * left_x, window_.height + 2 * left_y};
      image::UnaryKernel unary = k;
      // The first reads from the source, `left` beyond the part that is written; later ones from what the pass before left there.
      if (steps_.empty()) unary.offset = {kept_near(k.offset.x) - left_x, kept_near(k.offset.y) - left_y, 0};
      else unary.offset = {x, y, 0};
      set_unary(s.filter.get(), unary, s.target);
      steps_.push_back(std::move(s));
    }
  }

  template <class K>
  static std::optional<std::string> refuses_scratch(const K& k, const Call& call) {
    const image::Window w = image::clip_window(k.clip_rect, call.outputs[0]);
    const std::int64_t more_x = k.kernel_width / 2 - most_radius, more_y = k.kernel_height / 2 - most_radius;
    if (w.width + 2 * std::max<std::int64_t>(more_x, 0) <= Context::largest_side && w.height + 2 * std::max<std::int64_t>(more_y, 0) <= Context::largest_side)
      return std::nullopt;
    return cat("a window of ", k.kernel_width, " x ", k.kernel_height, " px over ", w.width, " x ", w.height, " pixels; allowed there: ", Context::largest_side,
               " pixels a side, margins included. Cut the picture into tiles, or pass device=\"cpu\".");
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], to_written(window_), [&](id<MTLTexture> source, id<MTLTexture> target) { run(e, source, target, 0); });
  }

 private:
  static constexpr std::int64_t most_radius = 120;
  struct Step {
    retained<Filter*> filter;
    image::Window target;
  };

  void run(Encoder& e, id<MTLTexture> source, id<MTLTexture> target, std::size_t step) {
    const Step& s = steps_[step];
    if (step + 1 == steps_.size()) {
      [s.filter.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
      return;
    }
    const Encoder::Scratch between = e.scratch(format_, s.target.width, s.target.height);
    [s.filter.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:between.texture()];
    run(e, between.texture(), target, step + 1);
  }

  image::Window window_;
  MTLPixelFormat format_;
  std::vector<Step> steps_;
};

}  // namespace mpskit::metal
