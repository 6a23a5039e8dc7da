#include "cpu/image/median_networks.inl"
#include "cpu/image/median_search.inl"

// Windows of 3 and 5 go through networks of minima and maxima. Larger windows of bytes are searched bit by bit for whole tiles at a
// time, larger ones of other elements by networks as long as these are small, then bit by bit for each register of pixels.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MedianPlan final : public CpuPlan {
 public:
  MedianPlan(const image::Median& k, const Call& call)
      : diameter_(k.kernel_diameter), is_search_(call.inputs[0].dtype == DType::u8 && diameter_ > 5),
        tiles_(k, call, diameter_, diameter_, ordered_bytes(call.inputs[0].dtype), is_search_ ? 8 << 10 : 48 << 10, is_search_ ? 128 : 2 << 10) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) { run_in<decltype(type)>(src, dst); });
  }

 private:
  template <class T>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), d = diameter_;
    const auto size = static_cast<std::size_t>(tiles_.source_rows() * pitch + 4 * lanes<T>);
    const auto row_bytes = static_cast<std::size_t>(pitch + 64) * sizeof(float);
    const std::size_t more = is_search_ ? BitSearch<std::uint16_t>::bytes(tiles_.source_rows() * pitch) : static_cast<std::size_t>(pitch) * 5 * sizeof(T);
    tiles_.run(dst.layout.images(), static_cast<std::int64_t>(row_bytes + 2 * size * sizeof(T) + more), [&](const Tile& t, const Scratch& memory) {
      T *from = memory.as<T>(row_bytes), *to = from + size;
      std::byte* workspace = memory.as<std::byte>(row_bytes + 2 * size * sizeof(T));
      tiles_.load(src, t, from);
      const MedianRows<T> rows{from, pitch, c, d, t.height, t.width * c};
      if (d == 3) {
        median_of_three(rows, to, reinterpret_cast<T*>(workspace));
      } else if (d == 5) {
        median_of_five(rows, to, reinterpret_cast<T*>(workspace));
      } else if constexpr (std::is_same_v<T, std::uint8_t>) {
        if (d < 16) BitSearch<std::uint8_t>(rows, workspace).run(to);
        else BitSearch<std::uint16_t>(rows, workspace).run(to);
      } else {
        if (d <= (sizeof(T) == 2 ? 9 : 13)) median_by_selection(rows, to);
        else median_by_bits(rows, to);
      }
      if (c == 4)  // alpha passes
        for (std::int64_t y = 0; y < t.height; ++y)
          for (std::int64_t x = 3; x < t.width * 4; x += 4) to[y * pitch + x] = rows.centre(y)[x];
      for (std::int64_t y = 0; y < t.height; ++y)
        store_chosen(to + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, memory.as<float>());
    });
  }

  std::int64_t diameter_;
  bool is_search_;
  Tiles tiles_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Median, MedianPlan)
