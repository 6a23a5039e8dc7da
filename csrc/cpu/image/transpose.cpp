#include "cpu/image/tiles.inl"
#include "cpu/simd/sixteens.inl"

// Pixels move as blocks of 1, 2, 4, 8 or 16 bytes: squares of them are turned in registers.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// n columns of n rows of pixels of T, as many times as lanes lie beside each other in a register. Rows of small pixels are seldom whole lines:
// 64 bytes of them would cross one every time.
template <class T>
inline constexpr int square_bytes = sizeof(T) < 4 ? std::min(MPSKIT_VECTOR_BYTES, 32) : MPSKIT_VECTOR_BYTES;
template <class T>
MPSKIT_INLINE void turn_squares(const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row) {
  constexpr int n = 16 / sizeof(T);
  VecOf<T, square_bytes<T>> a[n];
  for (int i = 0; i < n; ++i) a[i] = load_sixteens<T, square_bytes<T>>(src + i * src_row, n * src_row);
  turn_sixteens<T>(a);
  for (int i = 0; i < n; ++i) store(dst + i * dst_row, a[i]);
}

// dst[y][x] = src[x][y] of `bytes` each, rows of dst by columns.
inline void turn_pixels(const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row, std::int64_t rows, std::int64_t columns, std::int64_t bytes) {
  for (std::int64_t y = 0; y < rows; ++y)
    for (std::int64_t x = 0; x < columns; ++x) std::memcpy(dst + y * dst_row + x * bytes, src + x * src_row + y * bytes, static_cast<std::size_t>(bytes));
}
// Squares of a tile, of n pixels of the source's rows by `wide` rows, which `turn` moves. All across the tile before the next rows: lines of the source
// are read once, and those of the destination, side by side, are written on and on. Hardware foresees neither, so the next lines of both are asked for:
// g32 of 1920 x 1080 takes 0.65 ms instead of 0.97; of 4K 2.7 instead of 3.6 by way of memory for a tile and from there past the caches (one core of
// a Sapphire Rapids, which copies them in 0.59 and 2.4).
template <class Turn>
MPSKIT_INLINE void turn_tile(std::int64_t n, std::int64_t wide, std::int64_t bytes, const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row,
                             std::int64_t rows, std::int64_t columns, Turn turn) {
  if (rows < n || columns < wide) return turn_pixels(src, src_row, dst, dst_row, rows, columns, bytes);
  const std::int64_t squares = n * bytes < 64 ? 4 : 1, some = wide / squares;  // across a line of the source, and rows that each asks for
  // The last squares begin where they still fit, over what is done already.
  for (std::int64_t x = 0; x < columns; x += wide) {
    x = std::min(x, columns - wide);
    for (std::int64_t y = 0; y < rows; y += n) {
      y = std::min(y, rows - n);
      for (std::int64_t i = 0; i < n; ++i) __builtin_prefetch(dst + (y + i) * dst_row + x * bytes + 64, 1);
      for (std::int64_t i = 0; i < some; ++i) __builtin_prefetch(src + (x + wide + y / n % squares * some + i) * src_row + y * bytes);
      turn(src + x * src_row + y * bytes, dst + y * dst_row + x * bytes, y + n + 1 >= rows, x + wide + 1 >= columns);
    }
  }
}
template <class T>
void turn_tile(const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t n = 16 / sizeof(T);
  turn_tile(n, n * square_bytes<T> / 16, sizeof(T), src, src_row, dst, dst_row, rows, columns,
            [=](const std::byte* from, std::byte* to, bool, bool) __attribute__((always_inline)) { turn_squares<T>(from, src_row, to, dst_row); });
}
// Four pixels of four rows, each a few whole lanes or words.
template <std::int64_t bytes>
void turn_large(const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row, std::int64_t rows, std::int64_t columns) {
  turn_tile(4, 4, bytes, src, src_row, dst, dst_row, rows, columns, [=](const std::byte* from, std::byte* to, bool, bool) __attribute__((always_inline)) {
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x) std::memcpy(to + y * dst_row + x * bytes, from + x * src_row + y * bytes, bytes);
  });
}

// Four pixels of three bytes are turned as words. Of a lane of sixteen bytes the last four are any, or what lies behind: they are read and written too
// unless there are not two pixels behind.
MPSKIT_INLINE void turn_triples(const std::byte* src, std::int64_t src_row, std::byte* dst, std::int64_t dst_row, bool reads_last, bool writes_last) {
  constexpr std::make_index_sequence<MPSKIT_VECTOR_BYTES> all;
  std::byte lines[4 * sixteens][16];
  if (reads_last) {
    for (int i = 0; i < 4 * sixteens; ++i) std::memcpy(lines[i], src + i * src_row, 12);
    src = lines[0];
    src_row = 16;
  }
  Vec<std::uint32_t> a[4];
  for (int i = 0; i < 4; ++i)
    a[i] = (Vec<std::uint32_t>)reorder_sixteens(load_sixteens<std::uint8_t>(src + i * src_row, 4 * src_row), all,
                                                [](int b) constexpr { return b % 4 < 3 ? b / 4 * 3 + b % 4 : 0; });
  turn_sixteens<std::uint32_t>(a);
  for (int i = 0; i < 4; ++i) store_triples(dst + i * dst_row, (Vec<std::uint8_t>)a[i], writes_last);
}

class TransposePlan final : public CpuPlan {
 public:
  TransposePlan(const image::Transpose& k, const Call& call)
      : edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)) {
    const Layout& src = call.inputs[0];
    channels_ = src.channels();
    bytes_ = channels_ * src.element_bytes();
    const bool is_square = bytes_ <= 16;  // some lines of each row of the source at a time; of other pixels one, so that rows of the destination are written on and on
    high_ = is_square ? 64 : std::max<std::int64_t>(64 / bytes_, 1);
    wide_ = is_square ? 256 : 512;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t across = (window_.width + wide_ - 1) / wide_, down = (window_.height + high_ - 1) / high_;
    const std::int64_t tile_bytes = high_ * wide_ * bytes_;
    parallel_for(dst.layout.images() * down * across, (128 << 10) / tile_bytes + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(2 * tile_bytes + wide_ * channels_ * 4 + 256));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t x = task % across * wide_, y = task / across % down * high_;
        turn(src, dst, {task / across / down, x, y, std::min(wide_, window_.width - x), std::min(high_, window_.height - y)}, memory.as<std::byte>());
      }
    });
  }

 private:
  void turn(const View& src, const View& dst, const Tile& t, std::byte* memory) const {
    const std::int64_t row = shift_y_ + t.x, column = shift_x_ + t.y;  // of the source
    const bool is_inside = row >= 0 && row + t.width <= src.layout.height() && column >= 0 && column + t.height <= src.layout.width();
    const std::byte* from = src.row<const std::byte>(t.image, std::max<std::int64_t>(row, 0)) + column * bytes_;
    std::int64_t from_row = src.layout.row_bytes();
    if (!is_inside) {
      from = memory;
      from_row = high_ * bytes_;
      visit_pixels(src.layout.dtype, [&](auto p) {
        using P = decltype(p);
        for (std::int64_t i = 0; i < t.width; ++i)
          stored_row<P, P>(src, t.image, row + i, column, t.height, edge_, reinterpret_cast<P*>(memory + i * from_row));
      });
    }
    std::byte* to = dst.row<std::byte>(t.image, window_.y + t.y) + (window_.x + t.x) * channels_ * dst.layout.element_bytes();
    const bool is_same = src.layout.dtype == dst.layout.dtype;
    if (is_same) return move(from, from_row, to, dst.layout.row_bytes(), t);
    std::byte* turned = memory + high_ * wide_ * bytes_;
    auto* floats = reinterpret_cast<float*>(turned + rounded_up(high_ * wide_ * bytes_, 64));
    move(from, from_row, turned, wide_ * bytes_, t);
    for (std::int64_t y = 0; y < t.height; ++y) {
      to_float(src.layout.dtype, turned + y * wide_ * bytes_, t.width * channels_, floats);
      from_float(floats, dst.layout.dtype, to + y * dst.layout.row_bytes(), t.width * channels_, unit_of(dst.layout.dtype) / unit_of(src.layout.dtype));
    }
  }
  void move(const std::byte* from, std::int64_t from_row, std::byte* to, std::int64_t to_row, const Tile& t) const {
    switch (bytes_) {
      case 1: return turn_tile<std::uint8_t>(from, from_row, to, to_row, t.height, t.width);
      case 2: return turn_tile<std::uint16_t>(from, from_row, to, to_row, t.height, t.width);
      case 4: return turn_tile<std::uint32_t>(from, from_row, to, to_row, t.height, t.width);
      case 8: return turn_tile<std::uint64_t>(from, from_row, to, to_row, t.height, t.width);
      case 3:
        if constexpr (isa_shuffles_bytes)
          return turn_tile(4, 4 * sixteens, 3, from, from_row, to, to_row, t.height, t.width,
                           [=](const std::byte* a, std::byte* b, bool reads_last, bool writes_last) __attribute__((always_inline)) {
                             turn_triples(a, from_row, b, to_row, reads_last, writes_last);
                           });
        return turn_threes(from, from_row, to, to_row, t);
      case 12: return turn_large<12>(from, from_row, to, to_row, t.height, t.width);
      case 16: return turn_large<16>(from, from_row, to, to_row, t.height, t.width);
      default: return turn_pixels(from, from_row, to, to_row, t.height, t.width, bytes_);
    }
  }
  // Where bytes are not shuffled.
  static void turn_threes(const std::byte* from, std::int64_t from_row, std::byte* to, std::int64_t to_row, const Tile& t) {
    constexpr std::int64_t few = 64, bytes = 3;  // lines of a column that stay in the nearest cache, however far apart
    for (std::int64_t begin = 0; begin < t.width; begin += few) {
      const std::int64_t end = std::min(begin + few, t.width);
      for (std::int64_t y = 0; y < t.height; ++y) {
        std::int64_t x = begin;
        if (y + 1 < t.height)  // four bytes are moved as one: the next pixel's first is there, and overwritten
          for (; x + 1 < end; ++x) std::memcpy(to + y * to_row + x * bytes, from + x * from_row + y * bytes, 4);
        for (; x < end; ++x) std::memcpy(to + y * to_row + x * bytes, from + x * from_row + y * bytes, bytes);
      }
    }
  }

  EdgeMode edge_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_, channels_, bytes_, high_, wide_;  // pixels of a tile
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Transpose, TransposePlan)
