#pragma once
// The Gaussian in floats, for every format. A block is a stack of rows (see transpose.inl): rows are filtered down the columns,
// turned into the stack, and filtered along by the same loop. Only pixels of four channels stay rows: a register is whole pixels of
// them, and the neighbours of all that are as many pixels away as it has are registers again.
#include "cpu/image/gaussian_four.inl"
#include "cpu/simd/streams.inl"
#include "cpu/simd/transpose.inl"

namespace mpskit::cpu::MPSKIT_ISA {

class GaussianFloats {
 public:
  using Element = float;
  using Register = Vec<float>;
  static constexpr std::int64_t block_rows = stack_rows, row_alignment = 16;
  // Elements of a strip: its rows under four outputs fit the first cache beside what is written.
  static std::int64_t strip(std::int64_t radius) { return std::clamp<std::int64_t>(6144 / (2 * radius + 4), 64, 256); }
  static std::int64_t quantum(std::int64_t) { return 4; }  // pixels that are filtered along at once

  GaussianFloats(std::span<const double> weights, const Layout& src, const Layout& dst) : channels_(src.channels()) {
    for (double w : weights) taps_.push_back(static_cast<float>(w));
    // Halves, so that the sum of a pair of the largest floats is no infinity.
    load_factor_ = radius() > 0 ? 0.5f : 1.0f;
    is_past_ = is_streamed(dst);
    store_factor_ = unit_of(dst.dtype) / unit_of(src.dtype) / load_factor_;
  }

  std::int64_t radius() const { return static_cast<std::int64_t>(taps_.size()) - 1; }
  Register first(Register v) const { return broadcast(taps_.data()) * v; }
  Register weight(std::int64_t k) const { return broadcast(taps_.data() + k); }
  MPSKIT_INLINE static Register add(Register w, Register pair, Register sum) { return multiply_add(w, pair, sum); }

  void fetch(const View& src, std::int64_t image, std::int64_t y, const GaussianPiece& piece, EdgeMode edge, float* to) const {
    fetch_row(src, image, y, piece.source, piece.count, edge, to, load_factor_);
    // The next strip lies a row apart from row to row, which the hardware does not foresee. A prefetch past the end does no harm.
    const std::int64_t row = std::clamp<std::int64_t>(y, 0, src.layout.height() - 1), bytes = piece.count * channels_ * src.layout.element_bytes();
    const auto* next = src.row<const std::byte>(image, row) + (piece.source + piece.count) * channels_ * src.layout.element_bytes();
    for (std::int64_t b = 0; b < bytes; b += 64) __builtin_prefetch(next + b);
  }

  // Memory beside the rows and blocks: elements, for a strip of so many pixels with what the passes write too much.
  std::int64_t extra(std::int64_t pixels) const { return 3 * block_rows * pitch(pixels); }

  // rows: the first of block_rows source rows' centres. Column `column` of the block is the piece's first.
  void down(const float* rows, std::int64_t row_pitch, const GaussianPiece& piece, float* block, std::int64_t block_pitch, std::int64_t column,
            float* extra) const {
    if (is_row()) return down_rows(rows, row_pitch, piece, block + column * row_channels, block_pitch);
    const std::int64_t columns = piece.count * channels_, pixel = channels_ * stack_rows;
    float* const to = block + column * pixel;
    if (columns == 0) {
      std::fill_n(to, piece.pixels * pixel, 0.0f);
      return;
    }
    Register four[4];
    for (std::int64_t i = 0; i < stack_rows; i += 4)
      for (std::int64_t x = 0; x < columns; x += lanes<float>) {
        blur_four(*this, rows + i * row_pitch + x, row_pitch, four);
        for (int j = 0; j < 4; ++j) store(extra + (i + j) * row_pitch + x, four[j]);
      }
    for (std::int64_t x = 0; x < columns; x += 4) {
      load_columns(extra + x, row_pitch, four);
      for (int j = 0; j < 4; ++j) store(to + (x + j) * stack_rows, four[j]);
    }
    for (std::int64_t p = piece.count; p < piece.pixels; ++p) std::copy_n(to + (piece.count - 1) * pixel, pixel, to + p * pixel);
  }

  // Outputs of the block that begin at its column `column`: `pixels` of `rows` rows.
  void along(const float* block, std::int64_t block_pitch, std::int64_t column, std::int64_t pixels, std::int64_t rows, DType dtype, std::byte* dst,
             std::int64_t row_bytes, float* extra) const {
    if (is_row()) return along_rows(block + column * row_channels, block_pitch, pixels, rows, dtype, dst, row_bytes, extra);
    Register four[4];
    const std::int64_t pixel = channels_ * stack_rows, out_pitch = pitch(pixels);
    const float* from = block + column * pixel;
    float* const out = extra + stack_rows * out_pitch;
    for (std::int64_t x = 0; x < pixels; x += 4)
      for (std::int64_t c = 0; c < channels_; ++c) {
        blur_four(*this, from + (x + radius()) * pixel + c * stack_rows, pixel, four);
        for (int j = 0; j < 4; ++j) store(extra + (x + j) * pixel + c * stack_rows, four[j]);
      }
    for (std::int64_t x = 0; x < pixels * channels_; x += 4) {
      for (int j = 0; j < 4; ++j) four[j] = load<Register>(extra + (x + j) * stack_rows);
      store_columns(out + x, out_pitch, four);
    }
    for (std::int64_t i = 0; i < rows; ++i) from_float(out + i * out_pitch, dtype, dst + i * row_bytes, pixels * channels_, store_factor_);
  }

  // Forgets the block's columns before `begin`.
  void forget(float* block, std::int64_t block_pitch, std::int64_t begin, std::int64_t end) const {
    if (is_row()) {
      for (std::int64_t i = 0; i < block_rows; ++i) {
        float* row = block + i * block_pitch;
        std::copy(row + begin * row_channels, row + end * row_channels, row);
      }
      return;
    }
    const std::int64_t pixel = channels_ * stack_rows;
    std::memmove(block, block + begin * pixel, static_cast<std::size_t>((end - begin) * pixel) * sizeof(float));
  }

 private:
  static constexpr std::int64_t row_channels = 4, row_pixels = std::max<std::int64_t>(lanes<float> / row_channels, 1);
  bool is_row() const { return channels_ == row_channels; }

  void down_rows(const float* rows, std::int64_t row_pitch, const GaussianPiece& piece, float* to, std::int64_t to_pitch) const {
    const std::int64_t columns = piece.count * row_channels;
    Register four[4];
    for (std::int64_t i = 0; i < block_rows; i += 4) {
      for (std::int64_t x = 0; x < columns; x += lanes<float>) {
        blur_four(*this, rows + i * row_pitch + x, row_pitch, four);
        for (int j = 0; j < 4; ++j) store(to + (i + j) * to_pitch + x, four[j]);
      }
      for (int j = 0; j < 4; ++j) {
        float* const row = to + (i + j) * to_pitch;
        if (columns == 0) std::fill_n(row, piece.pixels * row_channels, 0.0f);
        for (std::int64_t x = std::max<std::int64_t>(columns, row_channels); x < piece.pixels * row_channels; ++x) row[x] = row[x - row_channels];
      }
    }
  }

  void along_rows(const float* from, std::int64_t from_pitch, std::int64_t pixels, std::int64_t rows, DType dtype, std::byte* dst, std::int64_t row_bytes,
                  float* out) const {
    const std::int64_t count = pixels * row_channels, straight = dtype == DType::f32 && !is_past_ ? count - count % (4 * lanes<float>) : 0;
    Register four[4];
    for (std::int64_t i = 0; i < rows; ++i, dst += row_bytes) {
      const float* centre = from + i * from_pitch + radius() * row_channels;
      for (std::int64_t x = 0; x < count; x += 4 * lanes<float>) {
        for (int j = 0; j < 4; ++j) four[j] = first(load<Register>(centre + x + j * lanes<float>));
        for (std::int64_t k = std::max<std::int64_t>(radius() - row_pixels + 1, 1); k <= radius(); ++k)
          add_pairs(*this, centre + x - k * row_channels, centre + x + k * row_channels, lanes<float>, k, row_pixels, (k + row_pixels - 1) / row_pixels, four);
        if (x < straight) {
          for (int j = 0; j < 4; ++j) store(reinterpret_cast<float*>(dst) + x + j * lanes<float>, four[j] * store_factor_);
        } else {
          for (int j = 0; j < 4; ++j) store(out + x + j * lanes<float>, four[j]);
        }
      }
      if (straight < count) stream_floats(is_past_, out + straight, dtype, dst + straight * static_cast<std::int64_t>(sizeof(float)), count - straight, store_factor_);
    }
  }

  std::int64_t pitch(std::int64_t pixels) const { return ((pixels + 4) * channels_ + 15) / 16 * 16; }

  std::int64_t channels_;
  float load_factor_ = 1, store_factor_ = 1;
  bool is_past_;
  std::vector<float> taps_;  // weights of neighbours 0, 1, ... radius
};

}  // namespace mpskit::cpu::MPSKIT_ISA
