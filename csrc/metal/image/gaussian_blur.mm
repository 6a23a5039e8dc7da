#include "kernels/image/gaussian_blur.hpp"

#include <cmath>
#include <vector>

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

// Apple does not state how large a convolution may be; at 255 taps sigma is 34.
constexpr std::int64_t most_taps = 255;
std::int64_t radius_of(float sigma) { return static_cast<std::int64_t>(std::ceil(3.7 * static_cast<double>(sigma))); }

std::vector<float> taps_of(float sigma) {
  const std::int64_t radius = radius_of(sigma);
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t i = -radius; i <= radius; ++i) {
    const double x = static_cast<double>(i), s = static_cast<double>(sigma);
    weights.push_back(sigma > 0 ? std::exp(-x * x / (2 * s * s)) : 1);
    sum += weights.back();
  }
  std::vector<float> taps;
  for (const double w : weights) taps.push_back(static_cast<float>(w / sum));
  return taps;
}

// exact, and sigma 0, which copies: rows, then columns, in float32 between them.
class Plan final : public MetalPlan {
 public:
  Plan(const image::GaussianBlur& k, const Call& call, const Context& context) : window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    if (!k.exact && k.sigma > 0) {
      blur_ = made(adopt([[MPSImageGaussianBlur alloc] initWithDevice:context.device() sigma:k.sigma]), context, k);
      set_unary(blur_.get(), k, window_);
      return;
    }
    const std::vector<float> taps = taps_of(k.sigma);
    const NSUInteger count = taps.size();
    rows_ = made(adopt([[MPSImageConvolution alloc] initWithDevice:context.device() kernelWidth:count kernelHeight:1 weights:taps.data()]), context, k);
    columns_ = made(adopt([[MPSImageConvolution alloc] initWithDevice:context.device() kernelWidth:1 kernelHeight:count weights:taps.data()]), context, k);
    // Between the two lies every row of the source, for the columns that are written.
    image::UnaryKernel across = k, down = k;
    across.offset.y = down.offset.x = 0;
    between_ = {0, 0, window_.width, call.inputs[0].height()};
    set_unary(rows_.get(), across, between_);
    set_unary(columns_.get(), down, window_);
    rows_.get().bias = columns_.get().bias = 0;
    format_ = pixel_format(DType::f32, call.inputs[0].channels());
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_slice(o[0], o[1], to_written(window_), [&](id<MTLTexture> source, id<MTLTexture> target) {
      if (blur_) {
        [blur_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:target];
        return;
      }
      const Encoder::Scratch between = e.scratch(format_, between_.width, between_.height);
      [rows_.get() encodeToCommandBuffer:e.commands() sourceTexture:source destinationTexture:between.texture()];
      [columns_.get() encodeToCommandBuffer:e.commands() sourceTexture:between.texture() destinationTexture:target];
    });
  }

  static std::optional<std::string> refuses(const image::GaussianBlur& k, const Call&, const Context&) {
    const std::int64_t taps = 2 * radius_of(k.sigma) + 1;
    if (!k.exact || taps <= most_taps) return std::nullopt;
    return cat("exact=True with sigma ", k.sigma, " needs ", taps, " weights; allowed: ", most_taps,
               " on Metal, up to sigma 34.3. Pass exact=False for Apple's approximation, or device=\"cpu\", which is always exact.");
  }

 private:
  image::Window window_, between_{};
  retained<MPSImageGaussianBlur*> blur_;
  retained<MPSImageConvolution*> rows_, columns_;
  MTLPixelFormat format_ = MTLPixelFormatInvalid;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::GaussianBlur, Plan)
