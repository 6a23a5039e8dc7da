#include "cpu/image/median_networks.inl"
#include "cpu/image/median_search.inl"

// Small windows go through networks of minima and maxima, of pictures where they lie. Larger windows of bytes are searched bit by bit for
// whole tiles at a time, larger ones of other elements bit by bit for each register of pixels.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MedianPlan final : public CpuPlan {
 public:
  MedianPlan(const image::Median& k, const Call& call)
      : diameter_(k.kernel_diameter), is_search_(call.inputs[0].dtype == DType::u8 && diameter_ > widest_network),
        tiles_(k, call, diameter_, diameter_, ordered_bytes(call.inputs[0].dtype), is_search_ ? 8 << 10 : 48 << 10, is_search_ ? 128 : 2 << 10) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) { run_in<decltype(type)>(src, dst); });
  }

 private:
  static constexpr std::int64_t widest_network = 9;

  template <class T>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), d = diameter_;
    const std::int64_t image_pitch = src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(T));
    const bool is_network = d <= widest_network, is_element = src.layout.element_bytes() == static_cast<std::int64_t>(sizeof(T));
    const bool is_same = is_element && src.layout.dtype == dst.layout.dtype && dst.layout.row_bytes() % static_cast<std::int64_t>(sizeof(T)) == 0;
    const auto size = static_cast<std::size_t>(tiles_.source_rows() * pitch + 4 * lanes<T>);
    const auto row_bytes = static_cast<std::size_t>(pitch + 64) * sizeof(float);
    const std::size_t more = is_search_ ? BitSearch<std::uint16_t>::bytes(tiles_.source_rows() * pitch) : static_cast<std::size_t>(pitch * d) * sizeof(T);
    tiles_.run(dst.layout.images(), static_cast<std::int64_t>(row_bytes + 2 * size * sizeof(T) + more), [&](const Tile& tile, const Scratch& memory) {
      T *copy = memory.as<T>(row_bytes), *results = copy + size;
      std::byte* workspace = memory.as<std::byte>(row_bytes + 2 * size * sizeof(T));
      const auto part = [&](const Tile& t) {
        const T* from = is_network && is_element ? tiles_.in_place<T>(src, t, lanes<T>) : nullptr;
        const MedianRows<T> rows{from ? from : copy, from ? image_pitch : pitch, c, d, t.height, t.width * c};
        if (!from) tiles_.load(src, t, copy);
        const bool is_stored = is_network && is_same && rows.count >= lanes<T>;
        T* const to = is_stored ? reinterpret_cast<T*>(tiles_.row(dst, t, 0)) : results;
        const std::int64_t to_pitch = is_stored ? dst.layout.row_bytes() / static_cast<std::int64_t>(sizeof(T)) : pitch;
        if (is_network) {
          T* const columns = reinterpret_cast<T*>(workspace);
          if (d == 3) median_of_square<3>(rows, to, to_pitch, columns, pitch);
          else if (d == 5) median_of_square<5>(rows, to, to_pitch, columns, pitch);
          else if (d == 7) median_of_square<7>(rows, to, to_pitch, columns, pitch);
          else median_of_square<9>(rows, to, to_pitch, columns, pitch);
        } else if constexpr (std::is_same_v<T, std::uint8_t>) {
          if (d < 16) BitSearch<std::uint8_t>(rows, workspace).run(to);
          else BitSearch<std::uint16_t>(rows, workspace).run(to);
        } else {
          median_by_bits(rows, copy, to);
        }
        if (c == 4)  // alpha passes
          for (std::int64_t y = 0; y < t.height; ++y)
            for (std::int64_t x = 3; x < t.width * 4; x += 4) to[y * to_pitch + x] = rows.centre(y)[x];
        if (is_stored) return;
        for (std::int64_t y = 0; y < t.height; ++y)
          store_chosen(to + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, memory.as<float>());
      };
      if (is_network && is_element) tiles_.in_parts(src, tile, part);
      else part(tile);
    });
  }

  std::int64_t diameter_;
  bool is_search_;
  Tiles tiles_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Median, MedianPlan)
