#pragma once
// A picture in tiles that fit into the nearer caches, each with the margin that windows around its pixels reach into.
#include "cpu/image/fetch.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Row y of the source from x on as T, beyond the border what the edge mode says: elements as they are stored, or widened.
template <class T, class P>
void stored_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, T* to) {
  const Layout& l = src.layout;
  const std::int64_t c = l.channels(), row = std::clamp<std::int64_t>(y, 0, l.height() - 1);
  if (edge == EdgeMode::zero && row != y) {
    std::fill_n(to, pixels * c, T{});
    return;
  }
  const P* from = src.row<const P>(image, row);
  const std::int64_t begin = std::clamp<std::int64_t>(x, 0, l.width()), end = std::clamp<std::int64_t>(x + pixels, 0, l.width());
  const std::int64_t left = std::clamp<std::int64_t>(-x, 0, pixels), inside = std::max<std::int64_t>(end - begin, 0), right = pixels - left - inside;
  std::copy_n(from + begin * c, inside * c, to + left * c);
  if (edge == EdgeMode::zero) {
    std::fill_n(to, left * c, T{});
    std::fill_n(to + (left + inside) * c, right * c, T{});
    return;
  }
  for (std::int64_t p = 0; p < left; ++p) std::copy_n(from, c, to + p * c);
  for (std::int64_t p = left + inside; p < pixels; ++p) std::copy_n(from + (l.width() - 1) * c, c, to + p * c);
}
// The same for floats, whose codes are numbers times the format's unit.
inline void source_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, float* to) {
  fetch_row(src, image, y, x, pixels, edge, to);
}
template <class T>
  requires(std::is_integral_v<T>)
void source_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, T* to) {
  if (src.layout.dtype == DType::u8) return stored_row<T, std::uint8_t>(src, image, y, x, pixels, edge, to);
  if constexpr (sizeof(T) > 1) stored_row<T, std::uint16_t>(src, image, y, x, pixels, edge, to);
}

struct Tile {  // of the written window
  std::int64_t image, x, y, width, height;
};

// Cuts the written part of the destination into tiles whose source, margins included, takes about `bytes`, a row of it `row_bytes`; its rows are
// a multiple of `together`.
class Tiles {
 public:
  Tiles(const image::UnaryKernel& k, const Call& call, std::int64_t kernel_width, std::int64_t kernel_height, std::int64_t element_bytes, std::int64_t bytes = 48 << 10,
        std::int64_t row_bytes = 2 << 10, std::int64_t together = 1)
      : edge_(k.edge_mode),
        window_(image::clip_window(k.clip_rect, call.outputs[0])),
        channels_(call.inputs[0].channels()),
        margin_x_(kernel_width - 1),
        margin_y_(kernel_height - 1),
        shift_x_(bounded(k.offset.x) - kernel_width / 2),
        shift_y_(bounded(k.offset.y) - kernel_height / 2) {
    const std::int64_t pixel = channels_ * element_bytes;
    strip_ = std::min(window_.width, std::max<std::int64_t>({row_bytes / pixel, 2 * margin_x_, 1}));
    // A band at least as high as its margin: no more than half of the work is done twice.
    band_ = std::min(window_.height, rounded_up(std::max<std::int64_t>({bytes / ((strip_ + margin_x_) * pixel) - margin_y_, margin_y_, 8}), together));
    pitch_ = rounded_up((strip_ + margin_x_) * channels_, 64);
  }

  std::int64_t pitch() const { return pitch_; }  // elements from row to row of a tile
  std::int64_t strip() const { return strip_; }  // pixels across the widest tile
  std::int64_t source_rows() const { return band_ + margin_y_; }
  std::int64_t rows_of(const Tile& t) const { return t.height + margin_y_; }  // of its source
  std::int64_t channels() const { return channels_; }

  // body(tile, memory) for every tile; memory is `bytes` for it alone, with room to read and write four registers past them.
  template <class Body>
  void run(std::int64_t images, std::int64_t bytes, Body&& body) const {
    const std::int64_t bands = (window_.height + band_ - 1) / band_, strips = (window_.width + strip_ - 1) / strip_;
    parallel_for(images * bands * strips, (1 << 15) / (pitch_ * source_rows()) + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(bytes) + 4 * MPSKIT_VECTOR_BYTES);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t x = task % strips * strip_, y = task / strips % bands * band_;
        body(Tile{task / strips / bands, x, y, std::min(strip_, window_.width - x), std::min(band_, window_.height - y)}, memory);
      }
    });
  }

  // The tile's source with its margins.
  template <class T>
  void load(const View& src, const Tile& t, T* to) const {
    for (std::int64_t i = 0; i < t.height + margin_y_; ++i) load_row(src, t, i, to + i * pitch_);
  }
  template <class T>
  void load_row(const View& src, const Tile& t, std::int64_t i, T* to) const {
    source_row(src, t.image, shift_y_ + t.y + i, shift_x_ + t.x, t.width + margin_x_, edge_, to);
  }
  // What of a row of the tile's source lies within the picture: pixels left of it, of it and right of it.
  struct Inside {
    std::int64_t left, pixels, right;
  };
  Inside inside(const View& src, const Tile& t) const {
    const std::int64_t x = shift_x_ + t.x, all = t.width + margin_x_;
    const std::int64_t left = std::clamp<std::int64_t>(-x, 0, all), right = std::clamp<std::int64_t>(x + all - src.layout.width(), 0, all - left);
    return {left, all - left - right, right};
  }
  // Row y of the tile's source from its first pixel within the picture on, where it lies: the nearest row, where it lies beyond a border that is clamped.
  // Null where there is none, or `beyond` elements that may be read behind its last one would not be the picture's.
  template <class T>
  const T* row_in_place(const View& src, const Tile& t, std::int64_t y, std::int64_t beyond) const {
    const Layout& l = src.layout;
    const std::int64_t at = shift_y_ + t.y + y, row = std::clamp<std::int64_t>(at, 0, l.height() - 1);
    const std::int64_t begin = std::max<std::int64_t>(shift_x_ + t.x, 0), end = std::min(shift_x_ + t.x + t.width + margin_x_, l.width());
    if (begin >= end || (row != at && edge_ == EdgeMode::zero)) return nullptr;
    if (bytes_from(src, t.image, row, end) < beyond * static_cast<std::int64_t>(sizeof(T))) return nullptr;
    return reinterpret_cast<const T*>(src.row<const std::byte>(t.image, row) + begin * l.stride[2]);
  }
  // Elements beside the picture, `left` before and `right` behind those of `count`, as the edge mode says.
  template <class T>
  void fill_sides(T* row, std::int64_t left, std::int64_t count, std::int64_t right) const {
    const auto fill = [&](T* to, std::int64_t elements, const T* pixel) {
      if (edge_ == EdgeMode::zero) std::fill_n(to, elements, T{});
      else if (channels_ == 1) std::fill_n(to, elements, *pixel);
      else
        for (std::int64_t x = 0; x < elements; x += channels_) std::copy_n(pixel, channels_, to + x);
    };
    fill(row + left + count, right, row + left + count - channels_);
    fill(row, left, row + left);
  }
  std::int64_t pixels_beyond(const View& src, const Tile& t) const { return src.layout.width() - (shift_x_ + t.x + t.width + margin_x_); }  // pixels of the picture right of it
  // Where that of row y begins: of the nearest row, where it lies beyond the border.
  template <class T>
  const T* inside_at(const View& src, const Tile& t, std::int64_t y) const {
    const std::int64_t row = std::clamp<std::int64_t>(shift_y_ + t.y + y, 0, src.layout.height() - 1);
    return src.row<const T>(t.image, row) + std::max<std::int64_t>(shift_x_ + t.x, 0) * channels_;
  }
  // The same where it lies, rows of the picture apart: null where it crosses the border, or `beyond` elements that may be read behind its
  // last one would not be the picture's.
  template <class T>
  const T* in_place(const View& src, const Tile& t, std::int64_t beyond) const {
    const Layout& l = src.layout;
    const std::int64_t y = shift_y_ + t.y, x = shift_x_ + t.x, end_y = y + rows_of(t), end_x = x + t.width + margin_x_;
    if (y < 0 || x < 0 || end_y > l.height() || end_x > l.width() || l.row_bytes() % static_cast<std::int64_t>(sizeof(T)) != 0) return nullptr;
    if (bytes_from(src, t.image, end_y - 1, end_x) < beyond * static_cast<std::int64_t>(sizeof(T))) return nullptr;
    return src.row<const T>(t.image, y) + x * channels_;
  }
  // body(part) for the parts of a tile: the one whose windows lie within the picture, which is whole lines, and what is around it.
  template <class Body>
  void in_parts(const View& src, const Tile& t, Body&& body) const {
    const auto inner = [](std::int64_t at, std::int64_t size, std::int64_t shift, std::int64_t margin, std::int64_t all, std::int64_t step) {
      const std::int64_t begin = std::min(at + rounded_up(std::clamp(-shift, at, at + size) - at, step), at + size);
      const std::int64_t end = std::clamp(all - margin - shift, begin, at + size);
      return std::pair{begin, end == at + size ? end : end - (end - begin) % step};
    };
    const std::int64_t line = 64 / std::gcd<std::int64_t>(64, channels_ * src.layout.element_bytes());  // pixels: parts beside the inner one take a register anyway
    const auto [left, right] = inner(t.x, t.width, shift_x_, margin_x_, src.layout.width(), line);
    const auto [top, bottom] = inner(t.y, t.height, shift_y_, margin_y_, src.layout.height(), 1);
    const std::int64_t xs[] = {t.x, left, right, t.x + t.width}, ys[] = {t.y, top, bottom, t.y + t.height};
    for (int j = 0; j < 3; ++j) {
      const bool is_inner = j == 1 && left < right;
      for (int i = is_inner ? 0 : 2; i < 3; ++i) {
        const Tile part{t.image, is_inner ? xs[i] : t.x, ys[j], xs[i + 1] - (is_inner ? xs[i] : t.x), ys[j + 1] - ys[j]};
        if (part.width > 0 && part.height > 0) body(part);
      }
    }
  }
  // Its row y of the destination.
  std::byte* row(const View& dst, const Tile& t, std::int64_t y) const {
    return dst.row<std::byte>(t.image, window_.y + t.y + y) + (window_.x + t.x) * dst.layout.channels() * dst.layout.element_bytes();
  }

 private:
  EdgeMode edge_;
  image::Window window_;
  std::int64_t channels_, margin_x_, margin_y_, shift_x_, shift_y_;
  std::int64_t strip_ = 0, band_ = 0, pitch_ = 0;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
