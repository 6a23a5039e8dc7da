#include "cpu/simd/math.inl"
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t step = lanes<float>;

float sum_of(Floats v) {
  float lane[step];
  store(lane, v);
  for (int width = step / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}
// Where one of them is NaN the result may be any of the others: sums find the NaN again.
float largest_of(Floats v) {
  float lane[step];
  store(lane, v);
  for (int width = step / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] = lane[i] > lane[i + width] ? lane[i] : lane[i + width];
  return lane[0];
}

float largest(const float* x, std::int64_t n) {
  if (n < step) {
    float most = x[0];
    for (std::int64_t i = 1; i < n; ++i) most = most > x[i] ? most : x[i];
    return most;
  }
  Floats m[4];
  for (Floats& v : m) v = load<Floats>(x);
  std::int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step)
    for (int j = 0; j < 4; ++j) m[j] = maximum(load<Floats>(x + i + j * step), m[j]);
  for (; i + step <= n; i += step) m[0] = maximum(load<Floats>(x + i), m[0]);
  m[0] = maximum(load<Floats>(x + n - step), m[0]);
  return largest_of(maximum(maximum(m[0], m[1]), maximum(m[2], m[3])));
}

// e[i] = exp(x[i] - most); their sum, in blocks, so that it stays as exact with many channels as with few.
double exponentials(const float* x, std::int64_t n, float most, float* e) {
  constexpr std::int64_t block = 1024;
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += block) {
    const std::int64_t end = std::min(n, begin + block);
    Floats sums[2]{};
    std::int64_t i = begin;
    for (; i + 2 * step <= end; i += 2 * step)
      for (int j = 0; j < 2; ++j) {
        const Floats v = exp_of_negative(load<Floats>(x + i + j * step) - most);
        store(e + i + j * step, v);
        sums[j] += v;
      }
    if (i + step <= end) {
      const Floats v = exp_of_negative(load<Floats>(x + i) - most);
      store(e + i, v);
      sums[0] += v;
      i += step;
    }
    float rest = 0;
    if (const std::int64_t some = end - i; some > 0) {
      const Floats v = exp_of_negative(load_pixels(x + i, some) - most);
      store_pixels(e + i, v, some);
      for (std::int64_t j = 0; j < some; ++j) rest += v[j];
    }
    total += double{sum_of(sums[0] + sums[1])} + double{rest};
  }
  return total;
}

class SoftMaxPlan final : public CpuPlan {
 public:
  SoftMaxPlan(const cnn::SoftMax& k, const Call& call)
      : part_(cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], cnn::channels_read(k.info.name, k, call.inputs[0]))),
        offset_(k.offset.value_or(Offset{})) {}

  void run(std::span<const View> v) const override {
    const View &src = v[0], &dst = v[1];
    const std::int64_t channels = part_.source_channels, rows = part_.images * part_.height, s_step = pixel_bytes(src), d_step = pixel_bytes(dst);
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / (channels * part_.width));
    const bool is_narrow = channels < 2 * step;
    parallel_for(rows, grain, [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(channels * (is_narrow ? step : 2)) * sizeof(float));
      for (std::int64_t r = first; r < last; ++r) {
        const std::int64_t y = r % part_.height;
        const std::byte* s = source_row(src, r / part_.height, y);
        std::byte* d = dst.row<std::byte>(part_.destination_image + r / part_.height, part_.y + y) + part_.x * d_step + part_.destination_channel * dst.layout.element_bytes();
        std::int64_t x = 0;
        if (is_narrow && s && offset_.x >= 0) {
          const std::int64_t inside = std::min(part_.width, src.layout.width() - offset_.x);
          for (; x + step <= inside; x += step) several_pixels(src.layout.dtype, pixel(src, s, x), s_step, dst.layout.dtype, d + x * d_step, d_step, scratch.as<float>());
        }
        for (; x < part_.width; ++x) one_pixel(src.layout.dtype, s ? pixel(src, s, x) : nullptr, dst.layout.dtype, d + x * d_step, scratch.as<float>());
      }
    });
  }

 private:
  static std::int64_t pixel_bytes(const View& v) { return v.layout.channels() * v.layout.element_bytes(); }

  // Row y of the part; null beyond the border.
  const std::byte* source_row(const View& src, std::int64_t image, std::int64_t y) const {
    const std::int64_t row = offset_.y + y;
    return row < 0 || row >= src.layout.height() ? nullptr : src.row<const std::byte>(part_.source_image + image, row);
  }
  const std::byte* pixel(const View& src, const std::byte* row, std::int64_t x) const {
    const std::int64_t column = offset_.x + x;
    return column < 0 || column >= src.layout.width() ? nullptr : row + column * pixel_bytes(src) + part_.source_channel * src.layout.element_bytes();
  }

  void one_pixel(DType from, const std::byte* s, DType to, std::byte* d, float* scratch) const {
    const std::int64_t n = part_.source_channels;
    const float* x = scratch;
    float* e = to == DType::f32 ? reinterpret_cast<float*>(d) : scratch + n;
    if (!s) std::fill(scratch, scratch + n, 0.0f);
    else if (from == DType::f32) x = reinterpret_cast<const float*>(s);
    else to_float(from, s, n, scratch, 1 / unit_of(from));
    const auto scale = static_cast<float>(1 / exponentials(x, n, largest(x, n), e));
    if (to == DType::f32) transform(e, n, [=](Floats v) { return v * scale; });
    else from_float(e, to, d, n, scale * unit_of(to));
  }

  // A lane a pixel: few channels would leave registers empty.
  void several_pixels(DType from, const std::byte* s, std::int64_t s_step, DType to, std::byte* d, std::int64_t d_step, float* e) const {
    const std::int64_t n = part_.source_channels;
    Floats most = all(-std::numeric_limits<float>::infinity()), sum{};
    visit_pixels(from, [&](auto p) {
      using S = decltype(p);
      for (std::int64_t c = 0; c < n; ++c) {
        S codes[step];
        for (std::int64_t i = 0; i < step; ++i) codes[i] = reinterpret_cast<const S*>(s + i * s_step)[c];
        const Floats x = load_pixels(codes) * (1 / unit<S>);
        store(e + c * step, x);
        most = maximum(most, x);
      }
    });
    for (std::int64_t c = 0; c < n; ++c) {
      const Floats v = exp_of_negative(load<Floats>(e + c * step) - most);
      store(e + c * step, v);
      sum += v;
    }
    visit_pixels(to, [&](auto p) {
      using D = decltype(p);
      const Floats scale = unit<D> / sum;
      for (std::int64_t c = 0; c < n; ++c) {
        D codes[step];
        store_pixels(codes, load<Floats>(e + c * step) * scale);
        for (std::int64_t i = 0; i < step; ++i) reinterpret_cast<D*>(d + i * d_step)[c] = codes[i];
      }
    });
  }

  cnn::Part part_;
  Offset offset_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(cnn::SoftMax, SoftMaxPlan)
