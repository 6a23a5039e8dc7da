#pragma once
#include "cpu/image/chosen.inl"
#include "cpu/image/fold.inl"
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

// Windows of which some places take part and the others do not: runs of neighbours in the rows of the window. A row of the source becomes
// one of extremes of the shortest runs, that one of the next longer, and each is met by the runs of its length.
template <class Op>
class ShapePlan : public CpuPlan {
 public:
  ShapePlan(const image::UnaryKernel& k, std::int64_t width, std::int64_t height, const std::vector<bool>& takes_part, const Call& call)
      : tiles_(k, call, width, height, ordered_bytes(call.inputs[0].dtype), 24 << 10) {
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        if (!takes_part[static_cast<std::size_t>(y * width + x)]) continue;
        Run run{x, 1, y * tiles_.pitch() + x * tiles_.channels()};
        while (++x < width && takes_part[static_cast<std::size_t>(y * width + x)]) ++run.length;
        runs_.push_back(run);
      }
    std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.length != b.length ? a.length < b.length : a.at < b.at; });
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) {
      using T = decltype(type);
      const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), size = (tiles_.source_rows() + 1) * pitch + 4 * lanes<T>;
      const auto row_bytes = static_cast<std::size_t>(pitch + 64) * 4;
      tiles_.run(dst.layout.images(), 2 * size * static_cast<std::int64_t>(sizeof(T)) + static_cast<std::int64_t>(row_bytes), [&](const Tile& t, const Scratch& memory) {
        T *a = memory.as<T>(row_bytes), *to = a + size;
        tiles_.load(src, t, a);
        const T* before = nullptr;
        std::int64_t length = 1, left = tiles_.rows_of(t) * pitch;
        for (std::size_t i = 0; i < runs_.size();) {
          while (length < runs_[i].length) {
            const std::int64_t more = std::min(length, runs_[i].length - length);
            left -= more * c;
            fold_few(a, left, 2, more * c, static_cast<const T*>(nullptr), a, Op{});
            length += more;
          }
          const bool is_pair = i + 1 < runs_.size() && runs_[i + 1].length == length;
          const Run &first = runs_[i], &second = runs_[i + is_pair];
          fold_few(static_cast<const T*>(a) + first.at, t.height * pitch - std::max(first.x, second.x) * c, 1 + is_pair, second.at - first.at, before, to, Op{});
          before = to;
          i += 1 + is_pair;
        }
        for (std::int64_t y = 0; y < t.height; ++y)
          store_chosen(to + y * pitch, src.layout.dtype, tiles_.row(dst, t, y), dst.layout.dtype, t.width * c, memory.as<float>());
      });
    });
  }

 private:
  struct Run {
    std::int64_t x, length, at;  // its first place; elements from the tile's first
  };
  Tiles tiles_;
  std::vector<Run> runs_;
};

// Of a pixel and its number: the pixel less it, the largest counts; or the pixel and it, the smallest. Where all numbers are 0, pixels alone.
template <class T, bool is_dilation, bool is_flat>
struct Probe {
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
  static MPSKIT_INLINE V step(V best, T number, V pixel) {
    const V n = number - V{};
    if constexpr (is_flat) return join(best, pixel);
    else if constexpr (std::is_same_v<T, float>) return join(best, is_dilation ? pixel - n : pixel + n);
    else if constexpr (is_dilation) return join(best, upper(pixel, n) - n);  // not below 0
    else return join(best, pixel + lower(n, ~pixel));                        // not above 255
  }
};

// What meets no other number than its own: it leaves its place out. Codes lie in [0, 1], and the centre, whose number is 0, is never worse.
inline bool is_left_out(float number, DType t) { return number >= 1 && unit_of(t) > 1; }

template <bool is_dilation>
class ProbePlan : public CpuPlan {
 public:
  ProbePlan(const image::UnaryKernel& k, const image::WindowValues& w, const Call& call)
      : is_bytes_(fits_bytes(w, call)), is_flat_(true), tiles_(k, call, w.width, w.height, is_bytes_ ? 1 : 4, 24 << 10) {
    using Op = std::conditional_t<is_dilation, Upper, Lower>;
    constexpr std::size_t few = 32;  // places whose pixels are met one by one: runs pay later
    const DType t = call.inputs[0].dtype;
    std::vector<bool> takes_part;
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      takes_part.push_back(!is_left_out(w.values[i], t));
      if (!takes_part[i]) continue;
      const float number = w.values[i] * unit_of(t);
      const auto at = static_cast<std::int64_t>(i);
      places_.push_back({at / w.width, at % w.width, number, static_cast<std::uint8_t>(is_bytes_ ? std::nearbyint(number) : 0)});
      is_flat_ = is_flat_ && number == 0;
    }
    if (!is_flat_) return;
    if (places_.size() == w.values.size()) runs_ = std::make_unique<AreaPlan<Op>>(k, w.width, w.height, call);
    else if (places_.size() > few) runs_ = std::make_unique<ShapePlan<Op>>(k, w.width, w.height, takes_part, call);
  }

  void run(std::span<const View> views) const override {
    if (runs_) return runs_->run(views);
    if (is_flat_) return visit_ordered(views[0].layout.dtype, [&](auto type) { run_in<decltype(type), true>(views[0], views[1]); });
    if (is_bytes_) run_in<std::uint8_t, false>(views[0], views[1]);
    else run_in<float, false>(views[0], views[1]);
  }

 private:
  struct Place {
    std::int64_t y, x;
    float code;
    std::uint8_t byte;
    template <class T>
    T number() const {
      if constexpr (std::is_same_v<T, float>) return code;
      else return byte;
    }
  };

  // Bytes hold every result exactly when each number is a whole code.
  static bool fits_bytes(const image::WindowValues& w, const Call& call) {
    if (call.inputs[0].dtype != DType::u8) return false;
    return std::all_of(w.values.begin(), w.values.end(), [](float v) {
      const float code = v * 255.0f;
      return v >= 1 || (v >= 0 && std::abs(code - std::nearbyint(code)) < 1e-4f);
    });
  }

  template <class T, bool is_flat>
  void run_in(const View& src, const View& dst) const {
    using V = Vec<T>;
    using P = Probe<T, is_dilation, is_flat>;
    constexpr int columns = 4;
    constexpr std::int64_t together = columns * lanes<T>;
    const bool is_element = src.layout.element_bytes() == static_cast<std::int64_t>(sizeof(T)), is_stored = is_element && src.layout.dtype == dst.layout.dtype;
    const std::int64_t tile_pitch = tiles_.pitch(), image_pitch = src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(T)), c = tiles_.channels(), size = (tiles_.source_rows() + 1) * tile_pitch + together;
    const auto row_bytes = static_cast<std::size_t>(tile_pitch + together) * 4;
    const auto offsets = [&](std::int64_t pitch) {
      std::vector<std::int64_t> at;
      for (const Place& p : places_) at.push_back(p.y * pitch + p.x * c);
      return at;
    };
    const std::vector<std::int64_t> in_tile = offsets(tile_pitch), in_image = offsets(image_pitch);
    tiles_.run(dst.layout.images(), size * static_cast<std::int64_t>(sizeof(T)) + 2 * static_cast<std::int64_t>(row_bytes), [&](const Tile& t, const Scratch& memory) {
      T *copy = memory.as<T>(2 * row_bytes), *row = memory.as<T>(row_bytes);
      const T* from = is_element ? tiles_.in_place<T>(src, t, together) : nullptr;
      const std::int64_t* const at = from ? in_image.data() : in_tile.data();
      const std::int64_t pitch = from ? image_pitch : tile_pitch;
      if (!from) tiles_.load(src, t, copy), from = copy;
      const std::int64_t count = t.width * c;
      for (std::int64_t y = 0; y < t.height; ++y) {
        std::byte* target = tiles_.row(dst, t, y);
        T* to = is_stored ? reinterpret_cast<T*>(target) : row;
        for (std::int64_t x = 0; x < count; x += together) {
          V best[columns];
          for (V& v : best) v = P::first();
          for (std::size_t k = 0; k < places_.size(); ++k) {
            const T n = places_[k].template number<T>();
            const T* s = from + y * pitch + x + at[k];
            for (int i = 0; i < columns; ++i) best[i] = P::step(best[i], n, load<V>(s + i * lanes<T>));
          }
          const bool is_whole = !is_stored || x + together <= count;
          T* out = is_whole ? to + x : row;
          for (int i = 0; i < columns; ++i) store(out + i * lanes<T>, best[i]);
          if (!is_whole) std::memcpy(to + x, row, static_cast<std::size_t>(count - x) * sizeof(T));
        }
        if (!is_stored) store_chosen(row, src.layout.dtype, target, dst.layout.dtype, count, memory.as<float>());
      }
    });
  }

  bool is_bytes_, is_flat_;
  Tiles tiles_;
  std::vector<Place> places_;
  std::unique_ptr<CpuPlan> runs_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
