#pragma once
// One pass of a window over a picture, by the way that is fastest for it.
#include "cpu/image/stencil.inl"

namespace mpskit::cpu::MPSKIT_ISA {

#if MPSKIT_VECTOR_BYTES == 64
// Windows of one row. Results beside each other take the same pixels: a pixel is broadcast to all lanes of a register and each takes it with the weight that
// it has there. So no load crosses a cache line, which those of shifted rows nearly always do, for a register's pixels less one of products more. Sums grow
// in the order of the window's places, as in stencil.inl, and a lane whose window does not hold the pixel keeps its sum, whatever the pixel is.
class StencilAlong {
 public:
  // Products more against lines crossed: measured on a Sapphire Rapids.
  static bool pays(const Stencil& s) { return s.height == 1 && (s.channels == 1 ? s.width > 13 : s.channels == 4 && s.width > 1); }

  StencilAlong(const Stencil& s, const float* weights)
      : width_(s.width), channels_(s.channels), pixels_(lanes<float> / s.channels), memory_(static_cast<std::size_t>(places() * lanes<float>) * sizeof(float)) {
    float* to = memory_.as<float>();
    for (std::int64_t place = 0; place < places(); ++place)
      for (std::int64_t lane = 0; lane < lanes<float>; ++lane, ++to) {
        const std::int64_t i = place - lane / channels_;
        *to = i >= 0 && i < width_ ? weights[i] : 0;
      }
  }

  void run(const float* src, std::int64_t pitch, const StencilRows& to) const {
    if (channels_ == 1) blocks<1>(src, pitch, to);
    else blocks<4>(src, pitch, to);
  }

 private:
  std::int64_t places() const { return width_ + pixels_ - 1; }  // of pixels that a register's results take

  template <int channels>
  void blocks(const float* src, std::int64_t pitch, const StencilRows& to) const {
    each_stencil_block(src, pitch, 1, to, [&](const float* from, StencilSums& sum) __attribute__((always_inline)) {
      for (auto& row : sum)
        for (auto& v : row) v = Vec<float>{};
      const float* weights = memory_.as<const float>();
      std::int64_t place = 0;
      const auto feed = [&](std::uint32_t holds) __attribute__((always_inline)) {
        const Vec<float> w = load<Vec<float>>(weights + place * lanes<float>);
        for (int y = 0; y < stencil_rows; ++y)
          for (int c = 0; c < stencil_columns; ++c) {
            const float* p = from + y * pitch + place * channels + c * lanes<float>;
            const __m512 pixel = channels == 1 ? _mm512_set1_ps(*p) : _mm512_maskz_broadcast_f32x4(0xffff, _mm_loadu_ps(p));
            sum[y][c] = (Vec<float>)_mm512_mask3_fmadd_ps(pixel, (__m512)w, (__m512)sum[y][c], static_cast<__mmask16>(holds));
          }
      };
      const auto holders = [&] {  // lanes whose windows hold the place
        return (1u << std::min(place + 1, pixels_) * channels) - (1u << std::max<std::int64_t>(place - width_ + 1, 0) * channels);
      };
      for (; place < pixels_ - 1; ++place) feed(holders());
      for (; place < width_; ++place) feed(0xffff);
      for (; place < places(); ++place) feed(holders());
    });
  }

  std::int64_t width_, channels_, pixels_;  // of the window; of a register
  Scratch memory_;
};

// Windows of one column. Rows of a picture lie so far apart that few of them fit the nearest cache beside each other, so those that the results of some
// columns take are put there one behind the other, and read from there for all of these.
class StencilDown {
 public:
  static bool pays(const Stencil& s) { return s.width == 1 && s.height >= 2 * rows && s.height <= stencil_together(1); }
  static bool fits(const StencilRows& to) { return to.rows >= rows && to.count >= across; }

  static void run(const float* src, std::int64_t pitch, const Stencil& s, const float* weights, const StencilRows& to) {
    const Vec<float> factor = to.factor - Vec<float>{}, add = to.add - Vec<float>{};
    const std::int64_t source_rows = to.rows + s.height - 1;
    const Scratch memory(static_cast<std::size_t>(source_rows * across) * sizeof(float));
    auto* const column = memory.as<float>();
    for (std::int64_t block = 0; block < to.count; block += across) {
      const std::int64_t x = std::min(block, to.count - across);
      for (std::int64_t i = 0; i < source_rows; ++i) {
        const float* from = src + i * pitch + x;
        for (int c = 0; c < columns; ++c) store(column + i * across + c * lanes<float>, load<Vec<float>>(from + c * lanes<float>));
      }
      std::int64_t asked = 0;  // rows of the next columns: some with every band, as no more lines than a few can be under way
      for (std::int64_t band = 0; band < to.rows; band += rows) {
        const std::int64_t y = std::min(band, to.rows - rows);
        for (const std::int64_t some = source_rows * (y + rows) / to.rows; asked < some; ++asked)
          for (std::int64_t ahead = across; ahead < 2 * across; ahead += 16) __builtin_prefetch(src + asked * pitch + x + ahead, 0, 2);
        SumsOf<rows, columns> sum;
        stencil_some<1, 0, false>(column + y * across, across, s, weights, sum);
        for (int i = 0; i < rows; ++i)
          for (int c = 0; c < columns; ++c) store(to.data + (y + i) * to.pitch + x + c * lanes<float>, multiply_add(sum[i][c], factor, add));
      }
    }
  }

 private:
  static constexpr int rows = 12, columns = 2;
  static constexpr std::int64_t across = columns * lanes<float>;
};
#endif

class StencilPass {
 public:
  StencilPass(const Stencil& window, std::vector<float> weights) : window_(window), weights_(std::move(weights)) {
#if MPSKIT_VECTOR_BYTES == 64
    if (StencilAlong::pays(window_)) along_.emplace(window_, weights_.data());
#endif
  }
  const Stencil& window() const { return window_; }
  // As stencil().
  void run(const float* src, std::int64_t pitch, const StencilRows& to) const {
#if MPSKIT_VECTOR_BYTES == 64
    if (along_) return along_->run(src, pitch, to);
    if (StencilDown::pays(window_) && StencilDown::fits(to)) return StencilDown::run(src, pitch, window_, weights_.data(), to);
#endif
    stencil(src, pitch, window_, weights_.data(), to);
  }

 private:
  Stencil window_;
  std::vector<float> weights_;  // row by row
#if MPSKIT_VECTOR_BYTES == 64
  std::optional<StencilAlong> along_;
#endif
};

}  // namespace mpskit::cpu::MPSKIT_ISA
