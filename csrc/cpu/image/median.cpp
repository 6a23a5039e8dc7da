#include "cpu/image/median_counts.inl"
#include "cpu/image/median_networks.inl"
#include "cpu/image/rank_rows.inl"

// Small windows go through networks of minima and maxima that are written here, of pictures where they lie, larger ones through planned
// networks. Bytes are counted where windows are large.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

template <class T>
void copy_alpha(const T* from, T* to, std::int64_t count) {
  if (count >= lanes<T>) {
    for (std::int64_t at = 0; at < count; at += lanes<T>) {
      const std::int64_t x = std::min(at, count - lanes<T>);
      store(to + x, with_alpha(load<Vec<T>>(to + x), from + x));
    }
    return;
  }
  for (std::int64_t x = 3; x < count; x += 4) to[x] = from[x];
}

class MedianPlan final : public CpuPlan {
 public:
  MedianPlan(const image::Median& k, const Call& call) : MedianPlan(k, call, way_of(k.kernel_diameter, call.inputs[0].channels(), call.inputs[0].dtype)) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) {
      if (network_) run_network<decltype(type)>(src, dst);
      else run_in<decltype(type)>(src, dst);
    });
  }

 private:
  static constexpr std::int64_t widest_square = 9;
  struct Way {
    bool is_counted;
    std::int64_t tile;  // of a network, or 0
    std::int64_t bytes, row_bytes;
  };
  static Way way_of(std::int64_t diameter, std::int64_t channels, DType t) {
    if (diameter == 3 && ordered_bytes(t) > 1) return {false, 0, 21 << 10, 2 << 10};  // 8 rows of floats: more side by side wait for memory
    if (diameter == 3) return {false, 0, 32 << 10, 2 << 10};
    if (diameter <= widest_square) return {false, 0, 128 << 10, 1 << 10};  // a source row is read once: high tiles, whose lists fit the nearest cache
    if (diameter > 15 && t == DType::u8) {  // counts of 512 columns stay in the second cache; few of a tile's rows and columns are of its margin
      const std::int64_t pixels = std::max<std::int64_t>(512, 2 * diameter), rows = std::max<std::int64_t>(128, 3 * diameter);
      return {true, 0, (pixels + diameter) * rows * channels, pixels * channels};
    }
    const std::int64_t tile = diameter < 13 ? 2 : 4, row_bytes = tile * 16 * MPSKIT_VECTOR_BYTES;
    return {false, tile, row_bytes * std::max<std::int64_t>(128, 4 * diameter), row_bytes};
  }
  MedianPlan(const image::Median& k, const Call& call, const Way& way)
      : diameter_(k.kernel_diameter), is_counted_(way.is_counted), tiles_(k, call, diameter_, diameter_, ordered_bytes(call.inputs[0].dtype), way.bytes, way.row_bytes) {
    if (way.tile == 0) return;
    const std::int64_t pixel_bytes = together_ * ordered_bytes(call.inputs[0].dtype);
    network_ = std::make_unique<RankNetwork>(diameter_, way.tile, RankNetwork::Unit{pixel_bytes, rank_registers * MPSKIT_VECTOR_BYTES, (tiles_.strip() + way.tile - 1) / way.tile});
  }

  template <class T>
  void run_network(const View& src, const View& dst) const {
    const RankNetwork& n = *network_;
    const std::int64_t c = tiles_.channels(), size = together_ * static_cast<std::int64_t>(sizeof(T)), target_size = together_ * dst.layout.element_bytes();
    const std::int64_t source_step = c * static_cast<std::int64_t>(sizeof(T)), target_step = c * dst.layout.element_bytes(), row_pitch = n.tile * n.pitch;
    const std::int64_t line_bytes = rounded_up((tiles_.strip() + diameter_) * c * 4, 64) + 256;
    const bool is_stored = src.layout.dtype == dst.layout.dtype && src.layout.element_bytes() == static_cast<std::int64_t>(sizeof(T));
    tiles_.run(dst.layout.images(), 3 * line_bytes + n.bytes + n.pitch, [&](const Tile& t, const Scratch& memory) {
      std::byte *const line = memory.as<std::byte>(), *const converted = line + line_bytes, *const rows = converted + 2 * line_bytes;
      const std::int64_t across = (t.width + n.tile - 1) / n.tile;
      for (std::int64_t done = 0; done < c; done += together_) {
        const std::int64_t first = std::min(done, c - together_);
        for (std::int64_t y = 0; y < t.height; y += n.tile) {
          const std::int64_t kept = y == 0 ? 0 : n.source_rows - n.tile;
          std::memmove(rows, rows + n.tile * row_pitch, static_cast<std::size_t>(kept * row_pitch));
          for (std::int64_t i = kept; i < n.source_rows; ++i) {
            tiles_.load_row(src, t, y + i, reinterpret_cast<T*>(line));
            const std::byte* const from = line + first * static_cast<std::int64_t>(sizeof(T));
            visit_pixel_bytes(size, [&](auto bytes) { deal_pixels(bytes, from, source_step, t.width + diameter_ - 1, n.tile, rows + i * row_pitch, n.pitch); });
          }
          run_ranks<T>(n, across, size, rows);
          for (std::int64_t i = 0; i < n.tile && y + i < t.height; ++i) {
            std::byte* const results = rows + n.first_result * n.pitch + i * row_pitch;
            if (c == 4) pass_alpha<T>(rows + (i + diameter_ / 2) * row_pitch, across, results);
            std::byte* const target = tiles_.row(dst, t, y + i) + first * dst.layout.element_bytes();
            std::byte* const to = is_stored ? target : line;
            visit_pixel_bytes(size, [&](auto bytes) { gather_pixels(bytes, results, n.pitch, t.width, n.tile, to, is_stored ? target_step : size); });
            if (is_stored) continue;
            store_chosen(reinterpret_cast<const T*>(line), src.layout.dtype, converted, dst.layout.dtype, t.width * together_, reinterpret_cast<float*>(converted + line_bytes));
            for (std::int64_t x = 0; x < t.width; ++x) std::memcpy(target + x * target_step, converted + x * target_size, static_cast<std::size_t>(target_size));
          }
        }
      }
    });
  }
  template <class T>
  void pass_alpha(const std::byte* centres, std::int64_t pixels, std::byte* results) const {
    const RankNetwork& n = *network_;
    for (std::int64_t p = 0; p < n.tile; ++p) {
      const std::int64_t x = p + diameter_ / 2;
      const T* from = reinterpret_cast<const T*>(centres + x % n.tile * n.pitch) + x / n.tile * 4;
      copy_alpha(from, reinterpret_cast<T*>(results + p * n.pitch), pixels * 4);
    }
  }

  template <class T>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), d = diameter_;
    const std::int64_t image_pitch = src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(T));
    const bool is_square = !is_counted_, is_element = src.layout.element_bytes() == static_cast<std::int64_t>(sizeof(T));
    const bool is_same = is_element && src.layout.dtype == dst.layout.dtype && dst.layout.row_bytes() % static_cast<std::int64_t>(sizeof(T)) == 0;
    const auto size = static_cast<std::size_t>(tiles_.source_rows() * pitch + 4 * lanes<T>);
    const auto row_bytes = static_cast<std::size_t>(pitch + 64) * sizeof(float);
    const std::size_t more = is_counted_ ? CountedMedian::bytes(tiles_.strip() + d) : 0;
    tiles_.run(dst.layout.images(), static_cast<std::int64_t>(row_bytes + 2 * size * sizeof(T) + more), [&](const Tile& tile, const Scratch& memory) {
      T *copy = memory.as<T>(row_bytes), *results = copy + size;
      std::byte* workspace = memory.as<std::byte>(row_bytes + 2 * size * sizeof(T));
      const auto part = [&](const Tile& t) {
        const T* from = is_square && is_element ? tiles_.in_place<T>(src, t, lanes<T>) : nullptr;
        const MedianRows<T> rows{from ? from : copy, from ? image_pitch : pitch, c, d, t.height, t.width * c};
        if (!from) tiles_.load(src, t, copy);
        const bool is_stored = is_square && is_same && rows.count >= lanes<T>;
        T* const to = is_stored ? reinterpret_cast<T*>(tiles_.row(dst, t, 0)) : results;
        const std::int64_t to_pitch = is_stored ? dst.layout.row_bytes() / static_cast<std::int64_t>(sizeof(T)) : pitch;
        if (is_square) {
          if (d == 3) median_of_three(rows, to, to_pitch);
          else if (d == 5) median_of_square<5>(rows, to, to_pitch);
          else if (d == 7) median_of_square<7>(rows, to, to_pitch);
          else median_of_square<9>(rows, to, to_pitch);
        } else if constexpr (std::is_same_v<T, std::uint8_t>) {
          CountedMedian(rows, workspace).run(to, to_pitch);
        }
        if (c == 4 && !is_square)
          for (std::int64_t y = 0; y < t.height; ++y) copy_alpha(rows.centre(y), to + y * to_pitch, rows.count);
        if (is_stored) return;
        for (std::int64_t y = 0; y < t.height; ++y)
          store_chosen(to + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, memory.as<float>());
      };
      if (is_square && is_element) tiles_.in_parts(src, tile, part);
      else part(tile);
    });
  }

  std::int64_t diameter_;
  bool is_counted_;
  Tiles tiles_;
  std::int64_t together_ = std::min<std::int64_t>(tiles_.channels(), 4);  // channels that go through a network
  std::unique_ptr<RankNetwork> network_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Median, MedianPlan)
