#pragma once
// Depthwise convolution: every channel with its own filter. A lane a channel; a tile of neighbouring results shares the pixels that
// their windows have in common, and the filter's row.
#include "cpu/cnn/neuron.inl"
#include "cpu/cnn/window.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {

class Depthwise {
 public:
  // Filters as [tap][channel]; `neuron` must outlive this.
  Depthwise(const cnn::Part& part, const WindowAxes& axes, bool clamps, std::vector<float> filters, std::vector<float> bias, const cnn::Neuron& neuron)
      : part_(part), axes_(axes), clamps_(clamps), filters_(std::move(filters)), bias_(std::move(bias)), neuron_(neuron) {
    const std::optional<Clamp> clamp = as_clamp(neuron);
    is_clamp_ = clamp.has_value();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    low_ = clamp ? clamp->low : -infinity;
    high_ = clamp ? clamp->high : infinity;
  }

  void run(const View& src, const View& dst) const {
    visit_pixels(src.layout.dtype, [&](auto s) { run(src, dst, s); });
  }

 private:
  static constexpr std::int64_t step = lanes<float>;

  // Floats are stored as they come; other results, and those of a neuron, from a line of floats: a pass over L1, and half of the code.
  template <class S>
  void run(const View& src, const View& dst, S) const {
    const std::int64_t channels = part_.source_channels, rows = part_.images * part_.height, taps = axes_.y.taps.count * axes_.x.taps.count;
    const Layout& l = dst.layout;
    const bool is_float = is_clamp_ && l.dtype == DType::f32;
    parallel_for(rows, std::max<std::int64_t>(1, 262144 / (channels * part_.width * taps)), [&](std::int64_t first, std::int64_t last) {
      const Scratch line(is_float ? 0 : static_cast<std::size_t>(part_.width * channels) * sizeof(float));
      for (std::int64_t r = first; r < last; ++r) {
        std::byte* d = dst.row<std::byte>(part_.destination_image + r / part_.height, part_.y + r % part_.height) + (part_.x * l.channels() + part_.destination_channel) * l.element_bytes();
        float* sums = is_float ? reinterpret_cast<float*>(d) : line.as<float>();
        row<S>(src, r, sums, is_float ? l.channels() : channels);
        if (is_float) continue;
        for (std::int64_t x = 0; x < part_.width; ++x) {
          if (!is_clamp_) apply_neuron(neuron_, sums + x * channels, channels, 0);
          from_float(sums + x * channels, l.dtype, d + x * l.channels() * l.element_bytes(), channels, unit_of(l.dtype));
        }
      }
    });
  }

  template <class S>
  void row(const View& src, std::int64_t r, float* d, std::int64_t d_step) const {
    const std::int64_t channels = part_.source_channels, s_step = src.layout.channels(), y = r % part_.height, image = part_.source_image + r / part_.height;
    const auto source = [&](std::int64_t tap) -> const S* {  // its row; null where zeros are
      const std::int64_t i = axes_.y.at(y, tap);
      if (!axes_.y.is_inside(i) && !clamps_) return nullptr;
      return src.row<const S>(image, axes_.y.clamped(i)) + part_.source_channel;
    };
    const WindowAxis::Results whole = axes_.x.whole(part_.width);
    for (std::int64_t x = 0; x < whole.begin; ++x) at_the_border<S>(source, s_step, x, d + x * d_step);
    std::int64_t x = whole.begin;
    const cnn::Taps& t = axes_.x.taps;
    if (channels >= step && t.dilation == 1) {
      if (t.count == 3 && t.stride == 1) x = tiles<S, 3, 1, 8>(source, s_step, x, whole.end, d, d_step);
      else if (t.count == 3 && t.stride == 2) x = tiles<S, 3, 2, 6>(source, s_step, x, whole.end, d, d_step);
      else if (t.count == 5 && t.stride == 1) x = tiles<S, 5, 1, 6>(source, s_step, x, whole.end, d, d_step);
      else if (t.count == 5 && t.stride == 2) x = tiles<S, 5, 2, 4>(source, s_step, x, whole.end, d, d_step);
    }
    for (; x < part_.width; ++x) at_the_border<S>(source, s_step, x, d + x * d_step);
  }

  MPSKIT_INLINE Floats clamped(Floats v) const { return minimum(all(high_), maximum(all(low_), v)); }

  // `count` results from x on while there are as many; those that remain one by one.
  template <class S, int taps, int stride, int count, class Source>
  std::int64_t tiles(Source&& source, std::int64_t s_step, std::int64_t x, std::int64_t end, float* d, std::int64_t d_step) const {
    for (; x + count <= end; x += count) tile<S, taps, stride, count>(source, s_step, x, d + x * d_step, d_step);
    for (; x < end; ++x) tile<S, taps, stride, 1>(source, s_step, x, d + x * d_step, d_step);
    return x;
  }
  template <class S, int taps, int stride, int count, class Source>
  void tile(Source&& source, std::int64_t s_step, std::int64_t x, float* d, std::int64_t d_step) const {
    constexpr int columns = (count - 1) * stride + taps;
    const std::int64_t channels = part_.source_channels, height = axes_.y.taps.count;
    constexpr std::int64_t few = 16;
    std::array<const S*, few> on_stack;
    std::vector<const S*> many(static_cast<std::size_t>(height > few ? height : 0));
    const S** rows = many.empty() ? on_stack.data() : many.data();
    for (std::int64_t i = 0; i < height; ++i) {
      rows[i] = source(i);
      if (rows[i]) rows[i] += axes_.x.at(x, 0) * s_step;
    }
    for (std::int64_t c = 0; c < channels; c += step) {
      if (c > channels - step) c = channels - step;  // some channels twice
      Floats sum[count];
      const Floats bias = load<Floats>(&bias_[static_cast<std::size_t>(c)]);
      for (int i = 0; i < count; ++i) sum[i] = bias;
      const float* f = &filters_[static_cast<std::size_t>(c)];
      for (std::int64_t i = 0; i < height; ++i, f += taps * channels) {
        if (!rows[i]) continue;
        Floats filter[taps];
        for (int k = 0; k < taps; ++k) filter[k] = load<Floats>(f + k * channels);
        const S* s = rows[i] + c;
#pragma GCC unroll 24
        for (int j = 0; j < columns; ++j) {
          const Floats v = load_pixels(s + j * s_step);
#pragma GCC unroll 8
          for (int o = 0; o < count; ++o)
            if (const int k = j - o * stride; k >= 0 && k < taps) sum[o] = multiply_add(v, filter[k], sum[o]);
        }
      }
      for (int i = 0; i < count; ++i) store(d + i * d_step + c, clamped(sum[i]));
    }
  }

  // One result, wherever its taps fall.
  template <class S, class Source>
  void at_the_border(Source&& source, std::int64_t s_step, std::int64_t x, float* d) const {
    const std::int64_t channels = part_.source_channels;
    const auto some = [&](std::int64_t c, auto&& load_some, auto&& bias_of, auto&& store_some) {
      Floats sum = bias_of(c);
      for (std::int64_t i = 0; i < axes_.y.taps.count; ++i) {
        const S* row = source(i);
        if (!row) continue;
        for (std::int64_t j = 0; j < axes_.x.taps.count; ++j) {
          const std::int64_t column = axes_.x.at(x, j);
          if (!axes_.x.is_inside(column) && !clamps_) continue;
          const float* f = &filters_[static_cast<std::size_t>((i * axes_.x.taps.count + j) * channels + c)];
          sum = multiply_add(load_some(row + axes_.x.clamped(column) * s_step + c), load_some(f), sum);
        }
      }
      store_some(c, sum);
    };
    std::int64_t c = 0;
    for (; c + step <= channels; c += step)
      some(c, [](const auto* p) { return load_pixels(p); }, [&](std::int64_t i) { return load<Floats>(&bias_[static_cast<std::size_t>(i)]); },
           [&](std::int64_t i, Floats v) { store(d + i, clamped(v)); });
    if (c == channels) return;
    const std::int64_t rest = channels - c;
    some(c, [&](const auto* p) { return load_pixels(p, rest); }, [&](std::int64_t i) { return load_pixels(&bias_[static_cast<std::size_t>(i)], rest); },
         [&](std::int64_t i, Floats v) { store_pixels(d + i, clamped(v), rest); });
  }

  cnn::Part part_;
  WindowAxes axes_;
  bool clamps_, is_clamp_;
  std::vector<float> filters_, bias_;
  cnn::Neuron neuron_;
  float low_, high_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
