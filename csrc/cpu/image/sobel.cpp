#include "cpu/image/fetch.inl"
#include "cpu/image/gray.inl"
#include "cpu/simd/square_root.inl"

// A band of output rows is worked through in strips: the strip's source rows become floats (gray ones, if the output is), then
// each register column goes down them with the differences and sums of the two rows above at hand.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Beyond this the sum of two squares of floats may be no float any more.
constexpr float largest_sum = 0x1p126f;

// One register column of magnitudes from the rows above, at and below each; `src` begins a pixel to the left. Returns the largest
// sums of squares. Gradients whose sums are too large are right only if `is_large`.
template <bool is_large>
Vec<float> magnitudes(const float* src, std::int64_t pitch, std::int64_t channels, std::int64_t rows, float* dst, std::int64_t dst_pitch) {
  using V = Vec<float>;
  const V two = 2.0f - V{};
  struct Across {
    V difference, sum;
  };
  auto across = [=](const float* p) {
    const V left = load<V>(p), right = load<V>(p + 2 * channels);
    return Across{right - left, multiply_add(two, load<V>(p + channels), left + right)};
  };
  Across above = across(src), here = across(src + pitch);
  V largest{};
  for (std::int64_t y = 0; y < rows; ++y) {
    const Across below = across(src + (y + 2) * pitch);
    const V gx = multiply_add(two, here.difference, above.difference + below.difference), gy = above.sum - below.sum;
    const V sum = multiply_add(gx, gx, gy * gy);
    V magnitude = square_root(sum);
    if constexpr (is_large) {
      const V x = gx * 0x1p-64f, y2 = gy * 0x1p-64f;
      const V small = square_root(multiply_add(x, x, y2 * y2)) * 0x1p64f;
      magnitude = sum > largest_sum - V{} ? small : magnitude;
    }
    store(dst + y * dst_pitch, magnitude);
    largest = sum > largest ? sum : largest;
    above = here;
    here = below;
  }
  return largest;
}

class SobelPlan final : public CpuPlan {
 public:
  SobelPlan(const image::Sobel& k, const Call& call)
      : k_(k), window_(image::clip_window(k.clip_rect, call.outputs[0])), is_gray_(image::converts_to_gray(call.inputs[0], call.outputs[0])) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    channels_ = dst.channels();
    source_channels_ = src.channels();
    factor_ = unit_of(dst.dtype) / unit_of(src.dtype);
    may_be_large_ = src.dtype == DType::f32;
    strip_ = std::min(window_.width, std::max<std::int64_t>(512 / source_channels_, 1));
  }

  void run(std::span<const View> views) const override {
    const std::int64_t images = views[1].layout.images(), bands = (window_.height + band - 1) / band;
    const std::int64_t work = std::min(band, window_.height) * window_.width * source_channels_;
    parallel_for(images * bands, (1 << 16) / work + 1, [&](std::int64_t begin, std::int64_t end) {
      const Workspace w(*this);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t y = task % bands * band;
        filter_band(views[0], views[1], task / bands, y, std::min(band, window_.height - y), w);
      }
    });
  }

 private:
  static constexpr std::int64_t band = 32;

  struct Workspace {
    std::int64_t pitch, out_pitch;
    Scratch memory;
    float *rows, *colour, *out;
    explicit Workspace(const SobelPlan& p)
        : pitch(rounded_up((p.strip_ + 2) * p.channels_, 16) + 16),
          out_pitch(rounded_up(p.strip_ * p.channels_, 16)),
          memory(sizeof(float) * static_cast<std::size_t>((band + 2) * pitch + band * out_pitch + (p.strip_ + 2) * p.source_channels_)) {
      rows = memory.as<float>();
      out = rows + (band + 2) * pitch;
      colour = out + band * out_pitch;
    }
  };

  void filter_band(const View& src, const View& dst, std::int64_t image, std::int64_t y, std::int64_t rows, const Workspace& w) const {
    const std::int64_t pixel_bytes = dst.layout.element_bytes() * channels_;
    for (std::int64_t x = 0; x < window_.width; x += strip_) {
      const std::int64_t pixels = std::min(strip_, window_.width - x);
      for (std::int64_t i = 0; i < rows + 2; ++i) {
        float* row = w.rows + i * w.pitch;
        fetch_row(src, image, bounded(k_.offset.y) + y + i - 1, bounded(k_.offset.x) + x - 1, pixels + 2, k_.edge_mode, is_gray_ ? w.colour : row);
        if (is_gray_) make_gray(w.colour, source_channels_, pixels + 2, k_.color_transform, row);
      }
      for (std::int64_t e = 0; e < pixels * channels_; e += lanes<float>) {
        const Vec<float> largest = magnitudes<false>(w.rows + e, w.pitch, channels_, rows, w.out + e, w.out_pitch);
        if (may_be_large_ && is_any_above(largest)) magnitudes<true>(w.rows + e, w.pitch, channels_, rows, w.out + e, w.out_pitch);
      }
      for (std::int64_t i = 0; i < rows; ++i)
        from_float(w.out + i * w.out_pitch, dst.layout.dtype, dst.row<std::byte>(image, window_.y + y + i) + (window_.x + x) * pixel_bytes,
                   pixels * channels_, factor_);
    }
  }

  static bool is_any_above(Vec<float> largest) {
    bool is_above = false;
    for (int i = 0; i < lanes<float>; ++i) is_above |= largest[i] > largest_sum;
    return is_above;
  }

  image::Sobel k_;
  image::Window window_;
  bool is_gray_, may_be_large_;
  std::int64_t channels_, source_channels_, strip_;
  float factor_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Sobel, SobelPlan)
