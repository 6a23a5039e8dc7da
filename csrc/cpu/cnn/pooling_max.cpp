#include "cpu/cnn/window.inl"
#include "cpu/simd/math.inl"
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t step = lanes<float>;

// m[i] = max(m[i], x[i]), whole registers and a rest.
template <class S>
void take_larger(const S* x, std::int64_t n, float* m) {
  std::int64_t i = 0;
  for (; i + step <= n; i += step) store(m + i, maximum(load_pixels(x + i), load<Floats>(m + i)));
  for (; i < n; ++i) {
    const float v = load_pixels(x + i, 1)[0];
    m[i] = v > m[i] ? v : m[i];
  }
}

// Columns first: the largest of each column of the window's rows, then the largest of neighbours among those. Everything in codes,
// which are exact as floats.
class PoolingMaxPlan final : public CpuPlan {
 public:
  PoolingMaxPlan(const cnn::PoolingMax& k, const Call& call)
      : part_(cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], cnn::channels_read(k.info.name, k, call.inputs[0]))),
        axes_(window_axes(k, call.inputs[0], k.taps_y(), k.taps_x())), clamps_(k.edge_mode == EdgeMode::clamp) {
    const WindowAxis& x = axes_.x;  // the columns that some window has
    first_column_ = x.clamped(x.at(0, 0));
    columns_ = x.clamped(x.at(part_.width - 1, x.taps.count - 1)) + 1 - first_column_;
  }

  void run(std::span<const View> v) const override {
    visit_pixels(v[0].layout.dtype, [&](auto s) { run(v[0], v[1], s); });
  }

 private:
  template <class S>
  void run(const View& src, const View& dst, S) const {
    const std::int64_t channels = part_.source_channels, rows = part_.images * part_.height;
    const std::int64_t work = columns_ * channels * (axes_.y.taps.count + axes_.x.taps.count);
    const bool is_direct = src.layout.dtype == dst.layout.dtype && channels >= step && axes_.y.taps.count * axes_.x.taps.count <= axes_.y.taps.count * std::min(axes_.x.taps.stride, axes_.x.taps.count) + axes_.x.taps.count + 3;
    parallel_for(rows, std::max<std::int64_t>(1, 131072 / work), [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(columns_ * channels + part_.width * channels) * sizeof(float));
      for (std::int64_t r = first; r < last; ++r) {
        const std::int64_t image = r / part_.height, y = r % part_.height;
        std::byte* d = dst.row<std::byte>(part_.destination_image + image, part_.y + y) + (part_.x * dst.layout.channels() + part_.destination_channel) * dst.layout.element_bytes();
        const Rows rows_of_window = rows_of(y);
        const auto row = [&](std::int64_t i) { return src.row<const S>(part_.source_image + image, i) + part_.source_channel; };
        if (is_direct) {
          direct(rows_of_window, row, src.layout.channels(), reinterpret_cast<S*>(d), dst.layout.channels());
        } else {
          float* m = scratch.as<float>();
          vertical<S>(rows_of_window, row, src.layout.channels(), m);
          horizontal(m, scratch.as<float>() + columns_ * channels, dst.layout, unit_of(dst.layout.dtype) / unit<S>, d);
        }
      }
    });
  }

  struct Rows {
    std::int64_t begin, end;  // of the source, at least one with edge_mode clamp
    bool is_cut;              // zeros take part
  };
  Rows span_of(const WindowAxis& a, std::int64_t result) const {
    const std::int64_t low = a.at(result, 0), high = low + a.taps.count;
    if (clamps_) return {a.clamped(low), a.clamped(high - 1) + 1, false};
    const std::int64_t begin = std::clamp<std::int64_t>(low, 0, a.extent);
    return {begin, std::clamp<std::int64_t>(high, begin, a.extent), low < 0 || high > a.extent};
  }
  Rows rows_of(std::int64_t y) const { return span_of(axes_.y, y); }

  static Floats start(bool zeros_take_part) { return zeros_take_part ? Floats{} : all(-std::numeric_limits<float>::infinity()); }

  template <class S, class Row>
  void direct(const Rows& rows, Row&& row, std::int64_t s_step, S* dst, std::int64_t d_step) const {
    const std::int64_t channels = part_.source_channels;
    const std::int64_t row_step = rows.end - rows.begin > 1 ? row(rows.begin + 1) - row(rows.begin) : 0;
    for (std::int64_t x = 0; x < part_.width; ++x) {
      const Rows columns = span_of(axes_.x, x);
      const S* corner = row(std::min(rows.begin, axes_.y.extent - 1)) + columns.begin * s_step;  // of no rows any will do
      const Floats begin = start(rows.is_cut || columns.is_cut);
      // `registers` of them from channel c on.
      const auto some = [&]<int registers>(std::int64_t c, std::integral_constant<int, registers>) __attribute__((always_inline)) {
        Floats m[registers];
        for (Floats& v : m) v = begin;
        const S* p = corner + c;
        for (std::int64_t i = rows.begin; i < rows.end; ++i, p += row_step) {
          const S* q = p;
          for (std::int64_t j = columns.begin; j < columns.end; ++j, q += s_step)
            for (int k = 0; k < registers; ++k) m[k] = maximum(load_pixels(q + k * step), m[k]);
        }
        for (int k = 0; k < registers; ++k) store_pixels(dst + x * d_step + c + k * step, m[k]);
      };
      std::int64_t c = 0;
      for (; c + 4 * step <= channels; c += 4 * step) some(c, std::integral_constant<int, 4>{});
      for (; c + step <= channels; c += step) some(c, std::integral_constant<int, 1>{});
      if (c < channels) some(channels - step, std::integral_constant<int, 1>{});  // some channels twice
    }
  }

  template <class S, class Row>
  void vertical(const Rows& rows, Row&& row, std::int64_t s_step, float* m) const {
    const std::int64_t channels = part_.source_channels, n = columns_ * channels;
    const float begin = start(rows.is_cut)[0];
    std::fill(m, m + n, begin);
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const S* s = row(i) + first_column_ * s_step;
      if (s_step == channels) {
        take_larger(s, n, m);
      } else {
        for (std::int64_t x = 0; x < columns_; ++x) take_larger(s + x * s_step, channels, m + x * channels);
      }
    }
  }

  void horizontal(const float* m, float* line, const Layout& l, float factor, std::byte* d) const {
    const std::int64_t channels = part_.source_channels;
    for (std::int64_t x = 0; x < part_.width;) {
      Rows columns = span_of(axes_.x, x);
      float* out = line + x * channels;
      std::int64_t some = 1;  // neighbours in one go, where the windows are neighbours too
      if (axes_.x.taps.stride == 1 && !columns.is_cut && columns.end - columns.begin == axes_.x.taps.count)
        some = std::max<std::int64_t>(1, std::min(part_.width, axes_.x.whole(part_.width).end) - x);
      std::fill(out, out + some * channels, start(columns.is_cut)[0]);
      for (std::int64_t j = columns.begin; j < columns.end; ++j) take_larger(m + (j - first_column_) * channels, some * channels, out);
      x += some;
    }
    if (l.channels() == channels) return from_float(line, l.dtype, d, part_.width * channels, factor);
    for (std::int64_t x = 0; x < part_.width; ++x) from_float(line + x * channels, l.dtype, d + x * l.channels() * l.element_bytes(), channels, factor);
  }

  cnn::Part part_;
  WindowAxes axes_;
  bool clamps_;
  std::int64_t first_column_, columns_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(cnn::PoolingMax, PoolingMaxPlan)
