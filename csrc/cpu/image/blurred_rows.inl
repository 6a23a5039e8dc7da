#pragma once
// Rows of a picture, made gray and blurred with a Gaussian, one after the other from the top: what edge detectors begin with. A ring holds
// the rows that were blurred along and are to be blurred down; a row's floats do not depend on where the first one was.
#include "cpu/image/fetch.inl"
#include "cpu/image/gray.inl"
#include "kernels/common/gaussian_weights.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

inline std::vector<float> gaussian_side(float sigma) {
  const std::vector<double> weights = image::gaussian_weights(sigma);
  return {weights.begin(), weights.end()};
}

// to[x] = weights[0] * rows[0][x] + the sum of weights[i] * (rows[2 i - 1][x] + rows[2 i][x]). Reads and writes up to four registers past count.
inline void weigh_row_pairs(const float* const* rows, const std::vector<float>& weights, std::int64_t count, float* to) {
  using V = Vec<float>;
  const auto radius = static_cast<std::int64_t>(weights.size()) - 1;
  for (std::int64_t x = 0; x < count; x += 4 * lanes<float>) {
    V sum[4];
    for (int k = 0; k < 4; ++k) sum[k] = load<V>(rows[0] + x + k * lanes<float>) * weights[0];
    for (std::int64_t i = 1; i <= radius; ++i) {
      const float *a = rows[2 * i - 1] + x, *b = rows[2 * i] + x;
      const V w = broadcast(&weights[static_cast<std::size_t>(i)]);
      for (int k = 0; k < 4; ++k) sum[k] = multiply_add(w, load<V>(a + k * lanes<float>) + load<V>(b + k * lanes<float>), sum[k]);
    }
    for (int k = 0; k < 4; ++k) store(to + x + k * lanes<float>, sum[k]);
  }
}

struct GaussianRows {
  std::vector<float> weights;  // gaussian_side
  EdgeMode edge;
  bool is_gray;                      // rows of one channel, by `transform`
  std::array<float, 3> transform;
  std::int64_t source_channels;
  std::int64_t channels() const { return is_gray ? 1 : source_channels; }
  std::int64_t radius() const { return static_cast<std::int64_t>(weights.size()) - 1; }
};

// Columns [x, x + pixels) from row y on, all within the picture. Values are codes of the source.
class BlurredRows {
 public:
  static constexpr std::int64_t slack = 4 * lanes<float>;  // that a row is written past its end
  static std::int64_t floats(const GaussianRows& g, std::int64_t pixels) {
    return (pixels + 2 * g.radius() + slack) * (g.channels() + (g.is_gray ? g.source_channels : 0)) + 2 * slack + (2 * g.radius() + 1) * pitch_of(g, pixels);
  }

  BlurredRows(const GaussianRows& g, const View& src, std::int64_t image, std::int64_t x, std::int64_t pixels, std::int64_t y, float* memory)
      : g_(g), src_(src), image_(image), x_(x), pixels_(pixels), y_(y), pitch_(pitch_of(g, pixels)), ring_(memory), row_(ring_ + (2 * g.radius() + 1) * pitch_),
        colour_(row_ + (pixels + 2 * g.radius()) * g.channels() + slack), pairs_(static_cast<std::size_t>(2 * g.radius() + 1)) {
    for (std::int64_t i = y - g.radius(); i < y + g.radius(); ++i) blur_along(i);
  }

  void next(float* to) {
    const std::int64_t radius = g_.radius();
    if (radius == 0) return fetch(y_++, pixels_, to);
    blur_along(y_ + radius);
    pairs_[0] = along(y_);
    for (std::int64_t i = 1; i <= radius; ++i) {
      pairs_[static_cast<std::size_t>(2 * i - 1)] = along(y_ - i);
      pairs_[static_cast<std::size_t>(2 * i)] = along(y_ + i);
    }
    weigh_row_pairs(pairs_.data(), g_.weights, pixels_ * g_.channels(), to);
    ++y_;
  }

 private:
  static std::int64_t pitch_of(const GaussianRows& g, std::int64_t pixels) { return rounded_up(pixels * g.channels() + slack, 16); }
  float* along(std::int64_t y) const {  // of the ring; y is never below -radius
    return ring_ + (y + g_.radius()) % (2 * g_.radius() + 1) * pitch_;
  }

  void blur_along(std::int64_t y) {
    const std::int64_t radius = g_.radius(), c = g_.channels(), wide = pixels_ + 2 * radius;
    fetch(y, wide, row_);
    const float* centre = row_ + radius * c;
    pairs_[0] = centre;
    for (std::int64_t i = 1; i <= radius; ++i) {
      pairs_[static_cast<std::size_t>(2 * i - 1)] = centre - i * c;
      pairs_[static_cast<std::size_t>(2 * i)] = centre + i * c;
    }
    weigh_row_pairs(pairs_.data(), g_.weights, pixels_ * c, along(y));
  }

  void fetch(std::int64_t y, std::int64_t pixels, float* to) {
    fetch_row(src_, image_, y, x_ - g_.radius(), pixels, g_.edge, g_.is_gray ? colour_ : to);
    if (g_.is_gray) make_gray(colour_, g_.source_channels, pixels, g_.transform, to);
  }

  const GaussianRows& g_;
  const View& src_;
  std::int64_t image_, x_, pixels_, y_, pitch_;
  float *ring_, *row_, *colour_;
  std::vector<const float*> pairs_;
};

// Sobel's gradients of those rows, for columns [x, x + pixels) of row y, y + 1, ... of the picture; y counts down, and they are not divided by anything.
struct GradientRow {
  float *x, *y, *square;  // the last is the sum of the squares of the others
};
class GradientRows {
 public:
  static std::int64_t floats(const GaussianRows& g, std::int64_t pixels) { return BlurredRows::floats(g, pixels + 2) + 4 * pitch_of(g, pixels); }

  GradientRows(const GaussianRows& g, const View& src, std::int64_t image, std::int64_t x, std::int64_t pixels, std::int64_t y, float* memory)
      : g_(g), height_(src.layout.height()), pixels_(pixels), left_(x == 0), right_(x + pixels == src.layout.width()), y_(y), next_(std::max<std::int64_t>(y - 1, 0)),
        pitch_(pitch_of(g, pixels)), blurred_(memory + BlurredRows::floats(g, pixels + 2)),
        rows_(g, src, image, x - !left_, pixels + !left_ + !right_, next_, memory) {
    std::fill_n(blurred_ + 3 * pitch_, pitch_, 0.0f);
  }

  // Writes up to a register past the row.
  void next(const GradientRow& to) {
    const float *above = row(y_ - 1), *here = row(y_), *below = row(y_ + 1);
    const std::int64_t c = g_.channels();
    for (std::int64_t e = 0; e < pixels_ * c; e += lanes<float>) {
      using V = Vec<float>;
      const auto at = [e](const float* p, std::int64_t i) { return load<V>(p + e + i); };
      const V a0 = at(above, 0), a1 = at(above, c), a2 = at(above, 2 * c), b0 = at(below, 0), b1 = at(below, c), b2 = at(below, 2 * c);
      const V side = at(here, 2 * c) - at(here, 0), middle = b1 - a1;
      const V gx = (a2 - a0) + (b2 - b0) + (side + side), gy = (b0 - a0) + (b2 - a2) + (middle + middle);
      store(to.x + e, gx);
      store(to.y + e, gy);
      store(to.square + e, multiply_add(gx, gx, gy * gy));
    }
    ++y_;
  }

 private:
  static std::int64_t pitch_of(const GaussianRows& g, std::int64_t pixels) { return rounded_up((pixels + 2) * g.channels() + 2 * BlurredRows::slack, 16); }

  // Blurred; pixel 0 lies left of the first gradient. The edge mode holds for blurred rows too.
  const float* row(std::int64_t y) {
    const std::int64_t inside = std::clamp<std::int64_t>(y, 0, height_ - 1), c = g_.channels();
    const bool is_filled = g_.edge == EdgeMode::clamp;
    for (; next_ <= inside; ++next_) {
      float* to = blurred_ + next_ % 3 * pitch_;
      rows_.next(to + (left_ ? c : 0));
      for (std::int64_t e = 0; e < c; ++e) {
        if (left_) to[e] = is_filled ? to[c + e] : 0.0f;
        if (right_) to[(pixels_ + 1) * c + e] = is_filled ? to[pixels_ * c + e] : 0.0f;
      }
    }
    return blurred_ + (inside == y || is_filled ? inside % 3 : 3) * pitch_;
  }

  const GaussianRows& g_;
  std::int64_t height_, pixels_;
  bool left_, right_;  // the first and the last column are the picture's
  std::int64_t y_, next_, pitch_;
  float* blurred_;  // three rows in turn, and one of zeros
  BlurredRows rows_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
