#include "cpu/image/pyramid_codes.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// A row of the smaller level: the rows around its own are weighed first, down to one row of floats whose even and odd pixels are kept
// apart. Along that row each weight then meets neighbours of one kind, side by side, and no sum is made that nobody keeps.
class GaussianPyramidPlan final : public CpuPlan {
 public:
  GaussianPyramidPlan(const image::GaussianPyramid& k, const Call& call)
      : window_(pyramid_window(k.info.name, k)), edge_(k.edge_mode), dtype_(call.outputs[0].dtype), channels_(call.inputs[0].channels()) {
    is_exact_ = dtype_ == DType::u8 && !k.weights && k.center_weight == image::PyramidKernel{}.center_weight;
  }

  void run(std::span<const View> views) const override {
    copy_picture(views[0], views[1]);
    for (std::size_t i = 1; i + 1 < views.size(); ++i)
      if (is_exact_) reduce_codes(views[i], views[i + 1]);
      else visit_pixels(dtype_, [&](auto p) { reduce<decltype(p)>(views[i], views[i + 1]); });
  }

 private:
  template <class T>
  struct Workspace {
    std::int64_t margin, pitch;  // elements before and of a row of halves
    Scratch memory;
    T *even, *odd, *sum, *whole;
    Workspace(const GaussianPyramidPlan& p, std::int64_t width)
        : margin(rounded_up((p.window_.width / 2 + 1) * p.channels_, 32)),
          pitch(2 * margin + rounded_up((width + 3) / 2 * p.channels_, 32) + pyramid_overrun),
          memory(sizeof(T) * static_cast<std::size_t>(margin + 3 * pitch + rounded_up(width * p.channels_, pyramid_codes_step) + pyramid_overrun)) {
      even = memory.as<T>() + margin;
      odd = even + pitch;
      sum = odd + pitch;
      whole = sum + pitch;
    }
  };

  template <class P>
  void reduce(const View& src, const View& dst) const {
    const Layout& l = dst.layout;
    each_picture_row(l, 3 * src.layout.width() * channels_, [&](std::int64_t begin, std::int64_t end) {
      const Workspace<float> w(*this, src.layout.width());
      for (std::int64_t i = begin; i < end; ++i) reduce_row<P>(src, dst, i / l.height(), i % l.height(), w);
      if (is_streamed(l)) end_stream();
    });
  }

  template <class P>
  void reduce_row(const View& src, const View& dst, std::int64_t image, std::int64_t y, const Workspace<float>& w) const {
    const std::int64_t width = src.layout.width(), height = src.layout.height(), count = dst.layout.width() * channels_;
    P* const to = dst.row<P>(image, y);
    const bool is_one = window_.terms.size() == 1;
    if (!is_one) std::fill_n(w.sum, count, 0.0f);
    for (const PyramidTerm& term : window_.terms) {
      WeighedRows<P> rows;
      for (std::size_t j = 0; j < term.down.size(); ++j) {
        const std::int64_t at = 2 * y + term.first + static_cast<std::int64_t>(j) - window_.height / 2, row = std::clamp<std::int64_t>(at, 0, height - 1);
        if (edge_ == EdgeMode::clamp || row == at) rows.add(src.row<const P>(image, row), term.down[j]);
      }
      if (rows.count == 0) continue;  // zeros
      visit_channels(channels_, [&](auto c) {
        split_sum<decltype(c)::value>(rows, 2 * src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(P)), width, channels_, w.even, w.odd, w.whole);
      });
      fill_margins(w, width, 2 * dst.layout.width() + window_.width / 2);
      WeighedRows<float> neighbours;
      for (std::size_t i = 0; i < term.across.size(); ++i) {
        const std::int64_t at = static_cast<std::int64_t>(i) - window_.width / 2;
        neighbours.add((at % 2 ? w.odd : w.even) + (at >> 1) * channels_, term.across[i]);
      }
      if (is_one) with_sum<5>(neighbours, [&, is_past = is_streamed(dst.layout)](const auto sum) __attribute__((always_inline)) { stream_run(is_past, to, count, sum, sum); });
      else add_to(w.sum, count, neighbours);
    }
    if (!is_one) from_float(w.sum, std::span<P>(to, static_cast<std::size_t>(count)));
  }

  void reduce_codes(const View& src, const View& dst) const {
    const Layout& l = dst.layout;
    const std::int64_t width = src.layout.width(), height = src.layout.height();
    each_picture_row(l, width * channels_ / 2, [&](std::int64_t begin, std::int64_t end) {
      const Workspace<std::uint16_t> w(*this, width);
      const std::vector<std::uint8_t> zeros(edge_ == EdgeMode::zero ? static_cast<std::size_t>(width * channels_) : 0);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / l.height(), y = i % l.height();
        std::array<const std::uint8_t*, 5> rows;
        for (std::int64_t j = 0; j < 5; ++j) {
          const std::int64_t at = 2 * y + j - 2, row = std::clamp<std::int64_t>(at, 0, height - 1);
          rows[static_cast<std::size_t>(j)] = edge_ == EdgeMode::clamp || row == at ? src.row<const std::uint8_t>(image, row) : zeros.data();
        }
        visit_channels(channels_, [&](auto c) { split_codes<decltype(c)::value>(rows, 2 * src.layout.row_bytes(), width, channels_, w.even, w.odd, w.whole); });
        fill_margins(w, width, 2 * l.width() + 2);
        binomial_row(w.even, w.odd, channels_, dst.row<std::uint8_t>(image, y), l.width() * channels_);
      }
    });
  }

  // What lies beyond the border: pixels before the first and up to `end`.
  template <class T>
  void fill_margins(const Workspace<T>& w, std::int64_t width, std::int64_t end) const {
    const auto pixel = [&](std::int64_t x) { return (x % 2 ? w.odd : w.even) + (x >> 1) * channels_; };
    const auto fill = [&](std::int64_t x, std::int64_t edge) {
      if (edge_ == EdgeMode::clamp) std::copy_n(pixel(edge), channels_, pixel(x));
      else std::fill_n(pixel(x), channels_, T{});
    };
    for (std::int64_t x = -(window_.width / 2); x < 0; ++x) fill(x, 0);
    for (std::int64_t x = width; x < end; ++x) fill(x, width - 1);
  }

  PyramidWindow window_;
  EdgeMode edge_;
  DType dtype_;
  std::int64_t channels_;
  bool is_exact_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::GaussianPyramid, GaussianPyramidPlan)
