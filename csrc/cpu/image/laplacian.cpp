#include "cpu/image/tiles.inl"
#include "cpu/simd/streams.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class LaplacianPlan final : public CpuPlan {
 public:
  LaplacianPlan(const image::Laplacian& k, const Call& call) : tiles_(k, call, 3, 3, sizeof(float), 192 << 10, 32 << 10) {
    is_past_ = is_streamed(call.outputs[0]);
    factor_ = unit_of(call.outputs[0].dtype) / unit_of(call.inputs[0].dtype);
    bias_ = k.bias * unit_of(call.outputs[0].dtype);
  }
  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t bytes = static_cast<std::int64_t>(sizeof(float)) * (tiles_.source_rows() * tiles_.pitch() + room);
    const bool is_float = src.layout.dtype == DType::f32;
    tiles_.run(dst.layout.images(), bytes, [&](const Tile& tile, const Scratch& memory) {
      const auto part = [&](const Tile& t) {
        const float* from = is_float ? tiles_.in_place<float>(src, t, room) : nullptr;
        const std::int64_t pitch = from ? src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(float)) : tiles_.pitch();
        if (!from) {
          tiles_.load(src, t, memory.as<float>());
          from = memory.as<float>();
        }
        visit_pixels(dst.layout.dtype, [&](auto p) {
          for (std::int64_t y = 0; y < t.height; ++y)
            filter_row(from + y * pitch, pitch, reinterpret_cast<decltype(p)*>(tiles_.row(dst, t, y)), t.width * tiles_.channels());
        });
      };
      if (is_float) tiles_.in_parts(src, tile, part);
      else part(tile);
      if (is_past_) end_stream();
    });
  }

 private:
  static constexpr std::int64_t room = 4 * lanes<float>;

  template <class P>
  void filter_row(const float* above, std::int64_t pitch, P* to, std::int64_t count) const {
    using V = Vec<float>;
    const std::int64_t c = tiles_.channels();
    const V factor = factor_ - V{}, bias = bias_ - V{}, minus_four = -4.0f - V{};
    auto at = [=, this](std::int64_t x) {
      const float* p = above + pitch + x;
      __builtin_prefetch(p + pitch + 256);  // hardware is late with rows side by side
      if (!is_past_) __builtin_prefetch(to + x + 256, 1);  // what goes past the caches must not be in them
      const V sum = (load<V>(p - pitch + c) + load<V>(p + pitch + c)) + (load<V>(p) + load<V>(p + 2 * c));
      return multiply_add(multiply_add(minus_four, load<V>(p + c), sum), factor, bias);
    };
    stream_run(is_past_, to, count, at, [=](std::int64_t x, std::int64_t) { return at(x); });
  }

  Tiles tiles_;
  float factor_, bias_;
  bool is_past_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Laplacian, LaplacianPlan)
