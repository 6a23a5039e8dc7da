#include "cpu/kernel.hpp"
#include "kernels/image/gaussian_blur.hpp"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// First shape of this kernel: float32 only, to prove the path. TODO(speed): all formats, tiles, vectors.
class GaussianBlurPlan final : public CpuPlan {
 public:
  GaussianBlurPlan(const image::GaussianBlur& k, const Call& call) : k_(k), window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    const auto radius = static_cast<std::int64_t>(std::ceil(3.7 * k.sigma));
    double sum = 0;
    std::vector<double> w;
    for (std::int64_t i = -radius; i <= radius; ++i)
      sum += w.emplace_back(k.sigma == 0 ? 1.0 : std::exp(-0.5 * static_cast<double>(i * i) / (double{k.sigma} * k.sigma)));
    for (double v : w) taps_.push_back(static_cast<float>(v / sum));
  }
  void run(std::span<const View> v) const override {
    const View &src = v[0], &dst = v[1];
    const auto r = static_cast<std::int64_t>(taps_.size() / 2);
    const std::int64_t c = src.layout.channels();
    auto at = [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t ch) -> float {
      if (k_.edge_mode == EdgeMode::zero && (y < 0 || x < 0 || y >= src.layout.height() || x >= src.layout.width())) return 0;
      y = std::clamp<std::int64_t>(y, 0, src.layout.height() - 1);
      x = std::clamp<std::int64_t>(x, 0, src.layout.width() - 1);
      return src.row<const float>(n, y)[x * c + ch];
    };
    for (std::int64_t n = 0; n < dst.layout.images(); ++n)
      parallel_for(window_.height, 8, [&](std::int64_t y0, std::int64_t y1) {
        for (std::int64_t y = y0; y < y1; ++y)
          for (std::int64_t x = 0; x < window_.width; ++x)
            for (std::int64_t ch = 0; ch < c; ++ch) {
              float sum = 0;
              for (std::int64_t j = -r; j <= r; ++j) {
                float row = 0;
                for (std::int64_t i = -r; i <= r; ++i) row += taps_[static_cast<std::size_t>(i + r)] * at(n, y + k_.offset.y + j, x + k_.offset.x + i, ch);
                sum += taps_[static_cast<std::size_t>(j + r)] * row;
              }
              dst.row<float>(n, y + window_.y)[(x + window_.x) * c + ch] = sum;
            }
      });
  }

 private:
  image::GaussianBlur k_;
  image::Window window_;
  std::vector<float> taps_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::GaussianBlur, GaussianBlurPlan)
