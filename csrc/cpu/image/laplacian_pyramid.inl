#pragma once
#include "cpu/image/pyramid.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// expand(small): its pixels in the even rows and columns of a picture of zeros as large as the level above, weighed with a window. Of
// the window's weights every other one meets a pixel: those of even places where the result's own place is even, else the odd ones.
class Expansion {
 public:
  Expansion(PyramidWindow window, EdgeMode edge, const Layout& large, const Layout& small)
      : window_(std::move(window)), edge_(edge), channels_(large.channels()), width_(large.width()), height_(large.height()), small_width_(small.width()),
        small_height_(small.height()) {
    const std::int64_t radius = window_.width / 2;
    for (std::int64_t x = 0; x < width_; ++x)
      if (x < radius || x >= width_ - radius) {
        border_.push_back(x);
        for (std::int64_t i = 0; i < window_.width; ++i) met_.push_back(pixel_at(x + i - radius, width_, small_width_));
      }
  }

  struct Workspace {
    std::int64_t margin, pitch;
    Scratch memory;
    float *down, *even, *odd, *border, *row;  // row: the result
    explicit Workspace(const Expansion& e)
        : margin(rounded_up((e.window_.width / 2 + 1) * e.channels_, 16)),
          pitch(2 * margin + rounded_up((e.width_ + 3) / 2 * e.channels_, 16) + pyramid_overrun),
          memory(sizeof(float) * static_cast<std::size_t>(3 * pitch + rounded_up(e.width_ * e.channels_, 16) + 2 * pyramid_overrun +
                                                          static_cast<std::int64_t>(e.border_.size()) * e.channels_)) {
      down = memory.as<float>() + margin;
      even = down + pitch;
      odd = even + pitch;
      row = odd + pitch - margin;
      border = row + rounded_up(e.width_ * e.channels_, 16) + 2 * pyramid_overrun;
    }
  };

  // Row y, in codes, to w.row.
  template <class P>
  void expand(const View& small, std::int64_t image, std::int64_t y, const Workspace& w) const {
    const std::int64_t half = (width_ + 1) / 2 * channels_, radius = window_.width / 2;
    std::fill_n(w.even, half, 0.0f);
    std::fill_n(w.odd, half, 0.0f);
    std::fill_n(w.border, static_cast<std::int64_t>(border_.size()) * channels_, 0.0f);
    for (const PyramidTerm& term : window_.terms) {
      WeighedRows<P> rows;
      for (std::size_t j = 0; j < term.down.size(); ++j)
        if (const std::int64_t row = pixel_at(y + term.first + static_cast<std::int64_t>(j) - window_.height / 2, height_, small_height_); row >= 0)
          rows.add(small.row<const P>(image, row), term.down[j]);
      if (rows.count == 0) continue;
      with_sum<2, 3>(rows, [&](const auto sum) __attribute__((always_inline)) { store_run(w.down, small_width_ * channels_, sum, sum); });
      float* const last = w.down + small_width_ * channels_;  // that an odd side shows beyond the small level
      if (edge_ == EdgeMode::clamp) std::copy_n(last - channels_, channels_, last);
      else std::fill_n(last, channels_, 0.0f);
      for (std::int64_t phase = 0; phase < 2; ++phase) {
        WeighedRows<float> neighbours;
        for (std::int64_t i = 0; i < window_.width; ++i)
          if (const std::int64_t at = phase + i - radius; at % 2 == 0) neighbours.add(w.down + (at >> 1) * channels_, term.across[static_cast<std::size_t>(i)]);
        if (neighbours.count > 0) add_to(phase ? w.odd : w.even, half, neighbours);
      }
      for (std::size_t b = 0; b < border_.size(); ++b)
        for (std::int64_t i = 0; i < window_.width; ++i)
          if (const std::int64_t met = met_[b * static_cast<std::size_t>(window_.width) + static_cast<std::size_t>(i)]; met >= 0)
            for (std::int64_t k = 0; k < channels_; ++k)
              w.border[static_cast<std::int64_t>(b) * channels_ + k] += term.across[static_cast<std::size_t>(i)] * w.down[met * channels_ + k];
    }
    merge_rows(w.even, w.odd, width_, channels_, w.row);
    for (std::size_t b = 0; b < border_.size(); ++b) std::copy_n(w.border + static_cast<std::int64_t>(b) * channels_, channels_, w.row + border_[b] * channels_);
  }

 private:
  // The small level's row or column that place `at` of the large one shows; -1: a zero.
  std::int64_t pixel_at(std::int64_t at, std::int64_t side, std::int64_t small_side) const {
    if (edge_ == EdgeMode::clamp) at = std::clamp<std::int64_t>(at, 0, side - 1);
    if (at < 0 || at >= side || at % 2 != 0) return -1;
    if (at / 2 < small_side) return at / 2;
    return edge_ == EdgeMode::clamp ? small_side - 1 : -1;  // the last even place of an odd side
  }

  PyramidWindow window_;
  EdgeMode edge_;
  std::int64_t channels_, width_, height_, small_width_, small_height_;
  std::vector<std::int64_t> border_, met_;  // columns whose window meets the border, and what each of its weights meets
};

// Both kernels: level n of the result from level n of the pyramid and what the level below expands to.
template <class K, bool is_add>
class LaplacianPyramidPlan final : public CpuPlan {
 public:
  LaplacianPyramidPlan(const K& k, const Call& call) : bias_(k.laplacian_bias * unit_of(call.inputs[0].dtype)), scale_(k.laplacian_scale) {
    for (std::size_t i = 0; i + 1 < call.inputs.size(); ++i) expansions_.emplace_back(pyramid_window(k.info.name, k), k.edge_mode, call.inputs[i], call.inputs[i + 1]);
  }
  void run(std::span<const View> views) const override {
    const auto in = views.first(views.size() / 2), out = views.last(views.size() / 2);
    copy_picture(in.back(), out.back());
    for (std::size_t i = expansions_.size(); i-- > 0;) {
      const View& small = is_add ? out[i + 1] : in[i + 1];
      visit_pixels(in[i].layout.dtype, [&](auto p) { level<decltype(p)>(expansions_[i], in[i], small, out[i]); });
    }
  }

 private:
  template <class P>
  void level(const Expansion& expansion, const View& src, const View& small, const View& dst) const {
    const Layout& l = src.layout;
    const std::int64_t count = l.width() * l.channels();
    each_picture_row(l, 3 * count, [&](std::int64_t begin, std::int64_t end) {
      const Expansion::Workspace w(expansion);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / l.height(), y = i % l.height();
        expansion.expand<P>(small, image, y, w);
        const P* const from = src.row<const P>(image, y);
        const Vec<float> bias = bias_ - Vec<float>{}, scale = scale_ - Vec<float>{};
        const auto result = [=](Vec<float> stored, Vec<float> expanded) __attribute__((always_inline)) {
          if constexpr (is_add) return (stored - bias) / scale + expanded;
          else return multiply_add(stored - expanded, scale, bias);
        };
        store_run(dst.row<P>(image, y), count, [&](std::int64_t x) { return result(load_pixels(from + x), load<Vec<float>>(w.row + x)); },
                  [&](std::int64_t x, std::int64_t n) { return result(load_pixels(from + x, n), load<Vec<float>>(w.row + x)); });
      }
    });
  }

  float bias_, scale_;
  std::vector<Expansion> expansions_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
