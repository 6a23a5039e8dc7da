#pragma once
#include "cpu/image/chosen.inl"
#include "cpu/image/fold.inl"
#include "cpu/image/stencil.inl"
#include "kernels/common/window_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// The largest or smallest element of a whole window.
template <class Op>
class AreaPlan : public CpuPlan {
 public:
  AreaPlan(const image::UnaryKernel& k, std::int64_t width, std::int64_t height, const Call& call)
      : width_(width), height_(height), tiles_(k, call, width, height, ordered_bytes(call.inputs[0].dtype)) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) {
      using T = decltype(type);
      const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), size = tiles_.source_rows() * pitch + 4 * lanes<T>;
      tiles_.run(dst.layout.images(), size * static_cast<std::int64_t>(sizeof(T)) + (pitch + 64) * 4, [&](const Tile& t, const Scratch& memory) {
        float* row = memory.as<float>();
        T* a = memory.as<T>(static_cast<std::size_t>(pitch + 64) * 4);
        tiles_.load(src, t, a);
        if (height_ > 1) fold_runs(a, t.height * pitch, height_, pitch, Op{});
        if (width_ > 1) fold_runs(a, t.height * pitch - (width_ - 1) * c, width_, c, Op{});
        for (std::int64_t y = 0; y < t.height; ++y)
          store_chosen(a + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, row);
      });
    });
  }

 private:
  std::int64_t width_, height_;
  Tiles tiles_;
};

// Of a pixel and its number: the pixel less it, the largest counts; or the pixel and it, the smallest.
template <class T, bool is_dilation>
struct Probe {
  using Element = T;
  using V = Vec<T>;
  static MPSKIT_INLINE V first() {
    constexpr T lowest = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity() : T{0};
    constexpr T highest = std::is_same_v<T, float> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    return (is_dilation ? lowest : highest) - V{};
  }
  static MPSKIT_INLINE V join(V a, V b) {
    if constexpr (is_dilation) return upper(a, b);
    else return lower(a, b);
  }
  static MPSKIT_INLINE V number(const T* p) {
    if constexpr (std::is_same_v<T, float>) return broadcast(p);
    else return *p - V{};
  }
  static MPSKIT_INLINE V step(V best, V number, V pixel) {
    if constexpr (std::is_same_v<T, float>) return join(best, is_dilation ? pixel - number : pixel + number);
    else if constexpr (is_dilation) return join(best, upper(pixel, number) - number);  // not below 0
    else return join(best, pixel + lower(number, ~pixel));                             // not above 255
  }
};

template <bool is_dilation>
class ProbePlan : public CpuPlan {
 public:
  ProbePlan(const image::UnaryKernel& k, const image::WindowValues& w, const Call& call)
      : window_{w.width, w.height, call.inputs[0].channels()}, is_bytes_(fits_bytes(w, call)), tiles_(k, call, w.width, w.height, is_bytes_ ? 1 : 4) {
    const float unit = unit_of(call.inputs[0].dtype);
    for (const float v : w.values) {
      numbers_.push_back(v * unit);
      if (is_bytes_) bytes_.push_back(static_cast<std::uint8_t>(std::min(std::nearbyint(v * unit), 255.0f)));
    }
    if (std::all_of(w.values.begin(), w.values.end(), [](float v) { return v == 0; }))
      flat_ = std::make_unique<AreaPlan<std::conditional_t<is_dilation, Upper, Lower>>>(k, w.width, w.height, call);
  }

  void run(std::span<const View> views) const override {
    if (flat_) flat_->run(views);
    else if (is_bytes_) run_in(views[0], views[1], bytes_);
    else run_in(views[0], views[1], numbers_);
  }

 private:
  // Bytes hold every result exactly when each number is a whole code. What reaches 255 leaves its place out: the centre is never worse.
  static bool fits_bytes(const image::WindowValues& w, const Call& call) {
    if (call.inputs[0].dtype != DType::u8) return false;
    return std::all_of(w.values.begin(), w.values.end(), [](float v) {
      const float code = v * 255.0f;
      return v >= 1 || (v >= 0 && std::abs(code - std::nearbyint(code)) < 1e-4f);
    });
  }

  template <class T>
  void run_in(const View& src, const View& dst, const std::vector<T>& numbers) const {
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), size = (tiles_.source_rows() + 4) * pitch + 4 * lanes<T>;
    const auto row_bytes = static_cast<std::size_t>(pitch + 64) * 4;
    tiles_.run(dst.layout.images(), 2 * size * static_cast<std::int64_t>(sizeof(T)) + static_cast<std::int64_t>(row_bytes), [&](const Tile& t, const Scratch& memory) {
      T *from = memory.as<T>(row_bytes), *to = from + size;
      tiles_.load(src, t, from);
      stencil<Probe<T, is_dilation>>(from, pitch, window_, numbers.data(), t.height, t.width * c, to, pitch);
      for (std::int64_t y = 0; y < t.height; ++y)
        store_chosen(to + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, memory.as<float>());
    });
  }

  Stencil window_;
  bool is_bytes_;
  Tiles tiles_;
  std::vector<float> numbers_;
  std::vector<std::uint8_t> bytes_;
  std::unique_ptr<CpuPlan> flat_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
