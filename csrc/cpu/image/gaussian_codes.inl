#pragma once
// The Gaussian of bytes to bytes in 16-bit words: twice the lanes of floats, and rows need no turning.
//
// How far from exact? Let n = radius + 1, and a unit be 1/256 of a code. The centre is a pair with itself. Weights are multiples
// of 2^-16 (2^-17 for one pixel of a pair), each within one step of the true one, and their sum is exactly 1: they are rounded by
// largest remainder, so that those above the truth are above it by at most n/4 steps together, as are those below. Pixels enter as
// x * 128, pairs below 2^16: a step of weight is less than a unit.
//   down   n/4 units by the weights, n products cut off: -n to 0, the bias (n + 1)/2, to half units: -1 to 0. Within
//          n/4 + (n + 1)/2; from 0 to (65280 + bias) / 2, so pairs fit again.
//   along  n/4 by the weights, n products cut off, the bias n/2: within n/4 + (n + 1)/2. The errors of the pass down keep their
//          size, because the weights sum to 1.
// Together at most 1.5 n + 1 units: 0.057 codes at sigma 2, 0.245 at the largest radius, 40. So no result is further than one code
// from the rounded exact value, few differ from it at all, and what is flat stays flat.
#include "cpu/image/gaussian_four.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {

class GaussianCodes {
 public:
  using Element = std::uint16_t;
  using Register = Words;
  static constexpr std::int64_t block_rows = 4, row_alignment = 4 * lanes<Element>;
  static std::int64_t strip(std::int64_t radius) { return std::clamp<std::int64_t>(12288 / (2 * radius + 4), 256, 512); }
  // Pixels that are filtered along at once: whole registers, four of them.
  static std::int64_t quantum(std::int64_t channels) { return row_alignment / std::gcd(row_alignment, channels); }
  // Radius 1 is a centre of almost 1, which 16 bits do not hold.
  static bool fits(std::int64_t radius, const Layout& src, const Layout& dst) {
    return src.dtype == DType::u8 && dst.dtype == DType::u8 && radius > 1 && radius <= 40;
  }

  GaussianCodes(std::span<const double> weights, const Layout& src, const Layout&) : channels_(src.channels()) {
    std::vector<std::pair<double, std::size_t>> rest;
    std::uint32_t missing = 65536;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const double w = weights[k] * (k == 0 ? 65536 : 131072);
      taps_.push_back(static_cast<std::uint32_t>(w));
      missing -= taps_[k];
      rest.emplace_back(taps_[k] - w, k);
    }
    std::sort(rest.begin(), rest.end());
    for (std::uint32_t i = 0; i < missing; ++i) ++taps_[rest[i].second];
    for (std::uint32_t& w : taps_) w *= 0x10001;
    bias_down_ = static_cast<std::uint16_t>((taps_.size() + 1) / 2);
    bias_along_ = static_cast<std::uint16_t>(taps_.size() / 2 + 128);
  }

  std::int64_t radius() const { return static_cast<std::int64_t>(taps_.size()) - 1; }
  Register first(Register v) const { return multiply_high(weight(0), v + v); }
  Register weight(std::int64_t k) const { return broadcast_word(taps_.data() + k); }
  MPSKIT_INLINE static Register add(Register w, Register pair, Register sum) { return sum + multiply_high(w, pair); }

  void fetch(const View& src, std::int64_t image, std::int64_t y, const GaussianPiece& piece, EdgeMode edge, Element* to) const {
    const std::int64_t row = std::clamp<std::int64_t>(y, 0, src.layout.height() - 1), n = piece.count * channels_;
    if (edge == EdgeMode::zero && row != y) {
      std::fill_n(to, n, Element{});
      return;
    }
    const auto* p = src.row<const std::uint8_t>(image, row) + piece.source * channels_;
    constexpr std::int64_t step = lanes<Element>;
    std::int64_t x = 0;
    for (; x + step <= n; x += step) store(to + x, load_bytes(p + x) << 7);
    for (; x < n; ++x) to[x] = static_cast<Element>(p[x] << 7);
  }

  std::int64_t extra(std::int64_t) const { return 0; }

  void down(const Element* rows, std::int64_t row_pitch, const GaussianPiece& piece, Element* block, std::int64_t block_pitch, std::int64_t column,
            Element*) const {
    const std::int64_t columns = piece.count * channels_;
    Element* const to = block + column * channels_;
    Register four[4];
    for (std::int64_t x = 0; x < columns; x += lanes<Element>) {
      blur_four(*this, rows + x, row_pitch, four);
      for (int j = 0; j < 4; ++j) store(to + j * block_pitch + x, (four[j] + bias_down_) >> 1);
    }
    for (int j = 0; j < 4; ++j) {
      Element* const row = to + j * block_pitch;
      if (columns == 0) std::fill_n(row, piece.pixels * channels_, Element{});
      else for (std::int64_t x = columns; x < piece.pixels * channels_; ++x) row[x] = row[x - channels_];
    }
  }

  void along(const Element* block, std::int64_t block_pitch, std::int64_t column, std::int64_t pixels, std::int64_t rows, DType, std::byte* dst,
             std::int64_t row_bytes, Element*) const {
    constexpr std::int64_t step = 4 * lanes<Element>;
    const std::int64_t n = pixels * channels_;
    for (std::int64_t i = 0; i < rows; ++i) {
      const Element* from = block + i * block_pitch + (column + radius()) * channels_;
      auto* to = reinterpret_cast<std::uint8_t*>(dst + i * row_bytes);
      std::int64_t x = 0;
      for (; x + step <= n; x += step) along_four(from + x, to + x);
      if (x == n) continue;
      std::uint8_t last[step];
      along_four(from + x, last);
      std::memcpy(to + x, last, static_cast<std::size_t>(n - x));
    }
  }

  void forget(Element* block, std::int64_t block_pitch, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t i = 0; i < block_rows; ++i) {
      Element* const row = block + i * block_pitch;
      std::memmove(row, row + begin * channels_, static_cast<std::size_t>((end - begin) * channels_) * sizeof(Element));
    }
  }

 private:
  MPSKIT_INLINE void along_four(const Element* centre, std::uint8_t* to) const {
    Register sum[4];
    for (int j = 0; j < 4; ++j) sum[j] = first(load<Register>(centre + j * lanes<Element>)) + bias_along_;
    const Element *before = centre, *behind = centre;
    for (std::int64_t k = 1; k <= radius(); ++k) {
      before -= channels_;
      behind += channels_;
      const Register w = weight(k);
      for (int j = 0; j < 4; ++j) sum[j] = add(w, load<Register>(before + j * lanes<Element>) + load<Register>(behind + j * lanes<Element>), sum[j]);
    }
    store_bytes(to, sum[0] >> 8, sum[1] >> 8);
    store_bytes(to + 2 * lanes<Element>, sum[2] >> 8, sum[3] >> 8);
  }

  std::int64_t channels_;
  std::uint16_t bias_down_, bias_along_;
  std::vector<std::uint32_t> taps_;  // weights of pairs at distance 0, 1, ... radius, twice in a number
};

}  // namespace mpskit::cpu::MPSKIT_ISA
