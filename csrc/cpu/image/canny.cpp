#include "cpu/image/blurred_rows.inl"
#include "cpu/simd/any.inl"
#include "cpu/simd/math.inl"

// Tiles are worked through row by row: blurred rows, gradients and magnitudes lie in rings that the nearer caches hold, and all that is
// stored is a map of classes, a byte a pixel. Then each band of the map follows the edges within it, and what crosses a border between
// bands is followed at the end by one thread: it is little, and the set of pixels is the same in every order.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class CannyPlan final : public CpuPlan {
 public:
  CannyPlan(const image::Canny& k, const Call& call)
      : rows_{gaussian_side(k.sigma), k.edge_mode, image::converts_to_gray(call.inputs[0], call.outputs[0]), k.color_transform, call.inputs[0].channels()},
        window_(image::clip_window(k.clip_rect, call.outputs[0])), channels_(call.outputs[0].channels()), images_(call.outputs[0].images()) {
    const Layout& src = call.inputs[0];
    const auto part = [](std::int64_t offset, std::int64_t count, std::int64_t size) {  // of the source, that lies under the window
      const std::int64_t begin = std::clamp<std::int64_t>(offset, 0, size);
      return std::pair{begin, std::clamp<std::int64_t>(offset + count, begin, size) - begin};
    };
    std::tie(x_, width_) = part(bounded(k.offset.x), window_.width, src.width());
    std::tie(y_, height_) = part(bounded(k.offset.y), window_.height, src.height());
    to_x_ = x_ - bounded(k.offset.x);
    to_y_ = y_ - bounded(k.offset.y);
    if (width_ == 0 || height_ == 0) width_ = height_ = to_x_ = to_y_ = 0;
    source_width_ = src.width();
    source_height_ = src.height();
    const double unit = static_cast<double>(unit_of(src.dtype));
    const auto square = [unit](float t) { return static_cast<float>(static_cast<double>(t) * unit * static_cast<double>(t) * unit); };
    low_ = square(k.low_threshold);
    high_ = square(k.high_threshold);
    strip_ = std::min(width_, std::max<std::int64_t>({512 / channels_, 4 * rows_.radius(), 1}));
    band_ = std::min(height_, std::max<std::int64_t>(96, 6 * rows_.radius()));
    pitch_ = rounded_up((width_ + 2) * channels_ + lanes<float>, 64);
  }

  void run(std::span<const View> views) const override {
    const std::int64_t map_bytes = (height_ + 2) * pitch_;
    const std::int64_t some = std::clamp<std::int64_t>((std::int64_t{64} << 20) / map_bytes, 1, images_);
    const Scratch memory(static_cast<std::size_t>(some * map_bytes));
    for (std::int64_t first = 0; first < images_; first += some)
      find(views[0], views[1], first, std::min(some, images_ - first), memory.as<std::uint8_t>());
  }

 private:
  enum Class : std::uint8_t { none, weak, edge };

  struct Tile {
    std::int64_t x, y, width, height;  // of the part
  };

  void find(const View& src, const View& dst, std::int64_t first, std::int64_t images, std::uint8_t* maps) const {
    const std::int64_t map_bytes = (height_ + 2) * pitch_;
    if (height_ > 0) {
      const std::int64_t strips = (width_ + strip_ - 1) / strip_, bands = (height_ + band_ - 1) / band_;
      parallel_for(images * bands * strips, (1 << 14) / (strip_ * band_ * channels_) + 1, [&](std::int64_t begin, std::int64_t end) {
        const Scratch memory(sizeof(float) * static_cast<std::size_t>(tile_floats()));
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t x = task % strips * strip_, y = task / strips % bands * band_, image = task / strips / bands;
          classify(src, first + image, {x, y, std::min(strip_, width_ - x), std::min(band_, height_ - y)}, maps + image * map_bytes, memory.as<float>());
        }
      });
      parallel_for(images * bands, (1 << 17) / (width_ * band_ * channels_) + 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::uint8_t*> work;
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t y = task % bands * band_;
          follow(maps + task / bands * map_bytes, y, std::min(y + band_, height_), y, std::min(y + band_, height_), work);
        }
      });
      parallel_for(images, bands > 1 ? (1 << 17) / (width_ * channels_ * bands) + 1 : images, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::uint8_t*> work;
        for (std::int64_t image = begin; image < end; ++image)
          for (std::int64_t y = band_; y < height_; y += band_) follow(maps + image * map_bytes, y - 1, y + 1, 0, height_, work);
      });
    }
    parallel_for(images * window_.height, (1 << 17) / (window_.width * channels_) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task)
        write(maps + task / window_.height * map_bytes, task % window_.height, dst, first + task / window_.height);
    });
  }

  std::uint8_t* map_row(std::uint8_t* map, std::int64_t y) const { return map + (y + 1) * pitch_ + channels_; }

  // ---- classes
  std::int64_t row_floats() const { return rounded_up((strip_ + 2) * channels_ + BlurredRows::slack, 16); }
  std::int64_t tile_floats() const { return GradientRows::floats(rows_, strip_ + 2) + 9 * row_floats(); }

  void classify(const View& src, std::int64_t image, const Tile& t, std::uint8_t* map, float* memory) const {
    const std::int64_t c = channels_, pitch = row_floats();
    const std::int64_t left = x_ + t.x, top = y_ + t.y;  // in the source
    const std::int64_t begin = std::max<std::int64_t>(left - 1, 0), end = std::min(left + t.width + 1, source_width_);
    GradientRows rows(rows_, src, image, begin, end - begin, std::max<std::int64_t>(top - 1, 0), memory);
    float* const gradients = memory + GradientRows::floats(rows_, strip_ + 2);  // three rows of three; element 0 is of the pixel left of the tile
    const auto gradient = [&](std::int64_t y) {
      float* p = gradients + (y + 3) % 3 * 3 * pitch;
      return GradientRow{p, p + pitch, p + 2 * pitch};
    };
    const auto fill = [&](std::int64_t y) {
      const GradientRow g = gradient(y);
      if (y < 0 || y >= source_height_) {
        std::fill_n(g.square, (t.width + 2) * c + lanes<float>, 0.0f);
        return;
      }
      const std::int64_t shift = (begin - left + 1) * c;
      rows.next({g.x + shift, g.y + shift, g.square + shift});
      for (std::int64_t e = 0; e < c; ++e) {
        if (begin == left) g.square[e] = 0;
        if (end == left + t.width) g.square[(t.width + 1) * c + e] = 0;
      }
    };
    fill(top - 1);
    fill(top);
    for (std::int64_t y = 0; y < t.height; ++y) {
      fill(top + y + 1);
      std::uint8_t* to = map_row(map, t.y + y) + t.x * c;
      if (t.x == 0) std::memset(to - c, 0, static_cast<std::size_t>(c));
      if (t.x + t.width == width_) std::memset(to + t.width * c, 0, static_cast<std::size_t>(c));
      thin(gradient(top + y - 1), gradient(top + y), gradient(top + y + 1), t.width * c, to);
    }
  }

  // Classes of a row: pixels above a threshold that no neighbour across the edge exceeds.
  void thin(const GradientRow& above, const GradientRow& here, const GradientRow& below, std::int64_t count, std::uint8_t* to) const {
    const std::int64_t c = channels_;
    std::memset(to, 0, static_cast<std::size_t>(count));
    const Floats low = all(low_), high = all(high_), tangent = all(std::numbers::sqrt2_v<float> - 1);  // of 22.5 degrees
    const float *up = above.square + c, *mid = here.square + c, *down = below.square + c;
    for (std::int64_t e = 0; e < count; e += lanes<float>) {
      const Floats g = load<Floats>(mid + e);
      const Ints is_above = (Ints)(g > low);
      if (!any(is_above)) continue;
      const auto at = [e](const float* p, std::int64_t i) { return load<Floats>(p + e + i); };
      const Floats gx = load<Floats>(here.x + c + e), gy = load<Floats>(here.y + c + e), ax = magnitude(gx), ay = magnitude(gy);
      const Ints is_across = (Ints)(ay <= tangent * ax), is_down = (Ints)(ax <= tangent * ay), falls = ((Ints)gx ^ (Ints)gy) >= 0;
      const Floats before = is_across ? at(mid, -c) : is_down ? at(up, 0) : falls ? at(up, -c) : at(up, c);
      const Floats behind = is_across ? at(mid, c) : is_down ? at(down, 0) : falls ? at(down, c) : at(down, -c);
      const Ints stays = is_above & (Ints)(g >= before) & (Ints)(g > behind);
      if (!any(stays)) continue;
      const Floats kind = (Floats)(stays & (Ints)((Ints)(g > high) ? all(2) : all(1)));
      if (count - e >= lanes<float>) store_pixels(to + e, kind);
      else store_pixels(to + e, kind, count - e);
    }
  }

  // ---- edges: from those in rows [begin, end) to what touches them in rows [least, most)
  void follow(std::uint8_t* map, std::int64_t begin, std::int64_t end, std::int64_t least, std::int64_t most, std::vector<std::uint8_t*>& work) const {
    std::uint8_t *const low = map_row(map, least) - channels_, *const high = map_row(map, most) - channels_;
    const std::int64_t c = channels_, pitch = pitch_, count = width_ * c;
    const auto take = [&](std::uint8_t* q) {
      if (*q != weak) return;
      *q = edge;
      work.push_back(q);
    };
    const auto spread = [&](std::uint8_t* p) {
      for (const std::int64_t step : {-pitch, std::int64_t{0}, pitch}) {
        std::uint8_t* q = p + step;
        if (q < low || q >= high) continue;
        take(q - c);
        take(q);
        take(q + c);
      }
    };
    for (std::int64_t y = begin; y < end; ++y) {
      std::uint8_t* row = map_row(map, y);
      for (std::int64_t e = 0; e < count; e += 8) {
        using Bytes = Vec<std::uint8_t>;
        while (e + lanes<std::uint8_t> <= count && !any((Ints)(load<Bytes>(row + e) == static_cast<std::uint8_t>(edge)))) e += lanes<std::uint8_t>;
        if (e >= count) break;
        std::uint64_t eight = 0;
        std::memcpy(&eight, row + e, static_cast<std::size_t>(std::min<std::int64_t>(8, count - e)));
        for (eight &= 0x0202020202020202u; eight != 0; eight &= eight - 1) {
          spread(row + e + std::countr_zero(eight) / 8);
          while (!work.empty()) {
            std::uint8_t* p = work.back();
            work.pop_back();
            spread(p);
          }
        }
      }
    }
  }

  // ---- the picture
  void write(std::uint8_t* map, std::int64_t y, const View& dst, std::int64_t image) const {
    const std::int64_t bytes = dst.layout.element_bytes(), from = y - to_y_;
    std::byte* to = dst.row<std::byte>(image, window_.y + y) + window_.x * channels_ * bytes;
    if (from < 0 || from >= height_) {
      std::memset(to, 0, static_cast<std::size_t>(window_.width * channels_ * bytes));
      return;
    }
    const std::int64_t right = window_.width - to_x_ - width_;
    std::memset(to, 0, static_cast<std::size_t>(to_x_ * channels_ * bytes));
    to += to_x_ * channels_ * bytes;
    std::memset(to + width_ * channels_ * bytes, 0, static_cast<std::size_t>(right * channels_ * bytes));
    const std::uint8_t* classes = map_row(map, from);
    visit_pixels(dst.layout.dtype, [&]<class P>(P) {
      auto* __restrict__ p = reinterpret_cast<P*>(to);
      const std::uint8_t* __restrict__ from = classes;
      const std::int64_t count = width_ * channels_;
      for (std::int64_t e = 0; e < count; ++e) p[e] = from[e] == edge ? white<P> : P{};
    });
  }

  GaussianRows rows_;
  image::Window window_;
  std::int64_t channels_, images_;
  std::int64_t x_ = 0, y_ = 0, width_ = 0, height_ = 0;  // part of the source that lies under the window
  std::int64_t to_x_, to_y_;                             // where it begins in the window
  std::int64_t source_width_, source_height_, strip_, band_, pitch_;
  float low_, high_;  // squares, of codes
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Canny, CannyPlan)
