#pragma once
// Means of windows whose weights are boxes, or boxes of boxes, along each axis.
#include "cpu/image/fold.inl"
#include "cpu/image/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Sums as floats: exact where they have at most 24 bits, one rounding above.
MPSKIT_INLINE Vec<float> load_sums(const float* p) { return load<Vec<float>>(p); }
MPSKIT_INLINE Vec<float> load_sums(const std::uint16_t* p) { return load_pixels(p); }
MPSKIT_INLINE Vec<float> load_sums(const std::uint32_t* p) { return __builtin_convertvector(load<Vec<std::int32_t>>(p), Vec<float>); }

// A row of sums to storage; `sums` may be read a register past its end.
template <class T, class P>
void store_sums(const T* sums, P* to, std::int64_t count, float factor) {
  store_run(to, count, [=](std::int64_t x) { return load_sums(sums + x) * factor; });
}

class WindowMeanPlan : public CpuPlan {
 public:
  // Along an axis boxes of `side` elements, `times` of them one after the other.
  struct Axis {
    std::int64_t side, times;
    std::int64_t sum() const { return times == 1 ? side : side * side; }
    std::int64_t reach() const { return times * (side - 1) + 1; }
  };

  WindowMeanPlan(const image::UnaryKernel& k, Axis across, Axis down, const Call& call)
      : across_(across), down_(down), code_bits_(bits_of(call.inputs[0].dtype, across.sum() * down.sum())),
        tiles_(k, call, across.reach(), down.reach(), code_bits_ == 16 ? 2 : 4) {
    const double count = static_cast<double>(across.sum() * down.sum());
    factor_ = static_cast<float>(static_cast<double>(unit_of(call.outputs[0].dtype)) / (static_cast<double>(unit_of(call.inputs[0].dtype)) * count));
  }

  void run(std::span<const View> views) const override {
    if (code_bits_ == 16) run_in<std::uint16_t>(views[0], views[1]);
    else if (code_bits_ == 32) run_in<std::uint32_t>(views[0], views[1]);
    else run_in<float>(views[0], views[1]);
  }

 private:
  // The narrowest integers that hold every sum of codes; 0 for floats.
  static int bits_of(DType t, std::int64_t count) {
    if (t != DType::u8 && t != DType::u16) return 0;
    const std::int64_t most = count * (t == DType::u8 ? 255 : 65535);
    return most < (1 << 16) ? 16 : most <= std::numeric_limits<std::int32_t>::max() ? 32 : 0;
  }

  template <class T>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), size = tiles_.source_rows() * pitch + 4 * lanes<T>;
    tiles_.run(dst.layout.images(), 2 * size * static_cast<std::int64_t>(sizeof(T)), [&](const Tile& t, const Scratch& memory) {
      T *from = memory.as<T>(), *to = from + size;
      tiles_.load(src, t, from);
      auto add = [&](const Axis& axis, std::int64_t results, std::int64_t stride) {
        if (axis.side == 1) return;
        for (std::int64_t i = axis.times; i-- > 0; std::swap(from, to)) sum_runs(from, results + i * (axis.side - 1) * stride, axis.side, stride, to);
      };
      add(down_, t.height * pitch, pitch);
      add(across_, t.height * pitch - (across_.reach() - 1) * c, c);
      visit_pixels(dst.layout.dtype, [&](auto p) {
        for (std::int64_t y = 0; y < t.height; ++y)
          store_sums(from + y * pitch, reinterpret_cast<decltype(p)*>(tiles_.row(dst, t, y)), t.width * c, factor_);
      });
    });
  }

  Axis across_, down_;
  int code_bits_;
  Tiles tiles_;
  float factor_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
