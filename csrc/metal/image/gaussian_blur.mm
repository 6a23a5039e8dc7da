#include "kernels/image/gaussian_blur.hpp"

#include <vector>

#include "kernels/common/gaussian_weights.hpp"
#include "metal/image/unary.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

// Apple does not state how large a convolution may be; at 255 taps sigma is 34. Beyond, a shader of ours sums.
constexpr std::size_t most_taps = 255;

// exact, and sigma 0, which copies: rows, then columns, in float32 between them.
class Plan final : public MetalPlan {
 public:
  Plan(const image::GaussianBlur& k, const Call& call, const Context& context) : window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    if (!k.exact && k.sigma > 0) {
      blur_ = made(adopt([[MPSImageGaussianBlur alloc] initWithDevice:context.device() sigma:k.sigma]), context, k);
      set_unary(blur_.get(), k, window_);
      return;
    }
    const std::vector<float> taps = image::both_sides(image::gaussian_weights(k.sigma));
    const NSUInteger count = taps.size();
    // Between the two lies every row of the source, for the columns that are written.
    between_ = {0, 0, window_.width, call.inputs[0].height()};
    format_ = pixel_format(DType::f32, call.inputs[0].channels());
    image::UnaryKernel across = k, down = k;
    across.offset.y = down.offset.x = 0;
    if (taps.size() > most_taps) {
      weights_ = adopt([context.device() newBufferWithBytes:taps.data() length:count * sizeof(float) options:MTLResourceStorageModeShared]);
      if (!weights_) throw DeviceError(cat(k.info.name, ": ", context.info().name, " has no memory for ", count, " weights. Free arrays, or pass device=\"cpu\"."));
      row_sums_ = arguments(across, between_, call.inputs[0].width(), call.inputs[0].height(), count);
      column_sums_ = arguments(down, window_, between_.width, between_.height, count);
      column_sums_.is_column = 1;
      return;
    }
    rows_ = made(adopt([[MPSImageConvolution alloc] initWithDevice:context.device() kernelWidth:count kernelHeight:1 weights:taps.data()]), context, k);
    columns_ = made(adopt([[MPSImageConvolution alloc] initWithDevice:context.device() kernelWidth:1 kernelHeight:count weights:taps.data()]), context, k);
    set_unary(rows_.get(), across, between_);
    set_unary(columns_.get(), down, window_);
    rows_.get().bias = columns_.get().bias = 0;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], to_written(window_), [&](id<MTLTexture> source, id<MTLTexture> target) {
      if (blur_) {
        [blur_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
        return;
      }
      const Encoder::Scratch between = e.scratch(format_, between_.width, between_.height);
      if (weights_) {
        e.compute("weigh", weights_.get(), {source, between.texture()}, row_sums_, MTLSizeMake(row_sums_.width, row_sums_.height, 1));
        e.compute("weigh", weights_.get(), {between.texture(), target}, column_sums_, MTLSizeMake(column_sums_.width, column_sums_.height, 1));
        return;
      }
      [rows_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:between.texture()];
      [columns_.get() encodeToCommandBuffer:e.commands() sourceTexture:between.texture() destinationTexture:target];
    });
  }

 private:
  static WeighArguments arguments(const image::UnaryKernel& k, const image::Window& w, std::int64_t width, std::int64_t height, NSUInteger count) {
    WeighArguments a{};
    a.width = static_cast<unsigned int>(w.width);
    a.height = static_cast<unsigned int>(w.height);
    a.target_x = static_cast<unsigned int>(w.x);
    a.target_y = static_cast<unsigned int>(w.y);
    a.source_x = static_cast<int>(to_mps(k.offset).x);
    a.source_y = static_cast<int>(to_mps(k.offset).y);
    a.source_width = static_cast<unsigned int>(width);
    a.source_height = static_cast<unsigned int>(height);
    a.count = static_cast<unsigned int>(count);
    a.is_zero = k.edge_mode == EdgeMode::zero ? 1 : 0;
    return a;
  }

  image::Window window_, between_{};
  retained<MPSImageGaussianBlur*> blur_;
  retained<MPSImageConvolution*> rows_, columns_;
  retained<id<MTLBuffer>> weights_;
  WeighArguments row_sums_{}, column_sums_{};
  MTLPixelFormat format_ = MTLPixelFormatInvalid;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::GaussianBlur, Plan)
