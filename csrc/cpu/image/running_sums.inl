#pragma once
// Sums of everything above and to the left. Bands of rows go side by side: their own sums come first, then what lies above each
// band is known. Codes are added exactly, in int32 while the total fits, otherwise as float64, which also takes floats; the bands
// of these do not depend on the number of threads, so neither does the rounding.
#include "cpu/image/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class T>
using FourOf [[gnu::vector_size(4 * sizeof(T))]] = T;

// v moved up by `by` lanes, zeros below.
template <int by, class T, std::size_t... i>
MPSKIT_INLINE Vec<T> moved_up(Vec<T> v, std::index_sequence<i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(Vec<T>{}, v, (static_cast<int>(i) < by ? static_cast<int>(i) : n + static_cast<int>(i) - by)...);
}
template <class T, std::size_t... i>
MPSKIT_INLINE Vec<T> last_of(Vec<T> v, std::index_sequence<i...>) {
  return __builtin_shufflevector(v, v, (static_cast<void>(i), static_cast<int>(sizeof...(i)) - 1)...);
}
template <class T>
MPSKIT_INLINE Vec<T> sums_within(Vec<T> v) {
  constexpr auto all = std::make_index_sequence<lanes<T>>{};
  v += moved_up<1, T>(v, all);
  if constexpr (lanes<T> > 2) v += moved_up<2, T>(v, all);
  if constexpr (lanes<T> > 4) v += moved_up<4, T>(v, all);
  if constexpr (lanes<T> > 8) v += moved_up<8, T>(v, all);
  return v;
}

// As many lanes of T as a register of T has, from floats.
template <class T>
MPSKIT_INLINE Vec<T> load_as(const float* p) {
  if constexpr (std::is_same_v<T, std::int32_t>) {
    return __builtin_convertvector(load<Vec<float>>(p), Vec<T>);
  } else {
    using Half [[gnu::vector_size(MPSKIT_VECTOR_BYTES / 2)]] = float;
    return __builtin_convertvector(load<Half>(p), Vec<T>);
  }
}

// sums[x] = above[x] + everything of the row up to x. `row` and the sums may be touched a register past their ends.
template <class T, bool is_squared>
void add_row(const float* row, std::int64_t pixels, std::int64_t c, const T* above, T* sums) {
  auto value = [](auto v) { return is_squared ? v * v : v; };
  if (c == 1) {
    Vec<T> before{};
    for (std::int64_t x = 0; x < pixels; x += lanes<T>) {
      const Vec<T> v = sums_within<T>(value(load_as<T>(row + x)));
      store(sums + x, load<Vec<T>>(above + x) + (v + before));
      before += last_of<T>(v, std::make_index_sequence<lanes<T>>{});
    }
  } else if (c <= 4) {  // a pixel at a time; lanes without a channel are overwritten by the next pixel
    FourOf<T> before{};
    for (std::int64_t x = 0; x < pixels * c; x += c) {
      before += value(__builtin_convertvector(load<FourOf<float>>(row + x), FourOf<T>));
      store(sums + x, load<FourOf<T>>(above + x) + before);
    }
  } else {
    for (std::int64_t i = 0; i < c; ++i) {
      T before{};
      for (std::int64_t x = i; x < pixels * c; x += c) {
        before += value(static_cast<T>(row[x]));
        sums[x] = above[x] + before;
      }
    }
  }
}

template <bool is_squared>
class RunningSumsPlan : public CpuPlan {
 public:
  RunningSumsPlan(const image::UnaryKernel& k, const Call& call)
      : edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)) {
    const DType from = call.inputs[0].dtype;
    channels_ = call.inputs[0].channels();
    const double unit = static_cast<double>(unit_of(from)), each = is_squared ? unit * unit : unit;
    factor_ = static_cast<double>(unit_of(call.outputs[0].dtype)) / each;
    is_exact_ = from == DType::u8 || from == DType::u16;
    is_narrow_ = is_exact_ && each * static_cast<double>(window_.width) * static_cast<double>(window_.height) < 0x1p31;
  }

  void run(std::span<const View> views) const override {
    if (is_narrow_) run_in<std::int32_t>(views[0], views[1]);
    else run_in<double>(views[0], views[1]);
  }

 private:
  static constexpr std::int64_t band = 64;

  template <class T>
  void run_in(const View& src, const View& dst) const {
    const std::int64_t images = dst.layout.images(), count = window_.width * channels_, pitch = rounded_up(count, 16) + 64;
    const bool is_one = is_exact_ && num_threads() == 1;  // exact sums are the same in any order
    const std::int64_t rows = is_one ? window_.height : band, bands = (window_.height + rows - 1) / rows;
    const Scratch starts_memory(static_cast<std::size_t>(images * bands * pitch) * sizeof(T));
    T* const starts = starts_memory.as<T>();  // for each band the sums above it
    const std::int64_t grain = (1 << 16) / (rows * count) + 1;
    const auto bytes = static_cast<std::size_t>(pitch) * (sizeof(float) + 2 * sizeof(T));

    for (std::int64_t image = 0; image < images; ++image) std::fill_n(starts + image * bands * pitch, pitch, T{});
    parallel_for(images * (bands - 1), grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(bytes);
      float* row = memory.as<float>();
      T* columns = memory.as<T>(static_cast<std::size_t>(pitch) * sizeof(float));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / (bands - 1), b = task % (bands - 1);
        std::fill_n(columns, pitch, T{});
        for (std::int64_t y = b * rows; y < (b + 1) * rows; ++y) {
          read(src, image, y, row);
          for (std::int64_t x = 0; x < count; x += lanes<T>) {
            const Vec<T> v = load_as<T>(row + x);
            store(columns + x, load<Vec<T>>(columns + x) + (is_squared ? v * v : v));
          }
        }
        T* start = starts + (image * bands + b + 1) * pitch;
        sum_along(columns, start);
      }
    });
    for (std::int64_t i = 0; i < images; ++i)
      for (std::int64_t b = 2; b < bands; ++b)
        for (std::int64_t x = 0; x < count; ++x) starts[(i * bands + b) * pitch + x] += starts[(i * bands + b - 1) * pitch + x];

    parallel_for(images * bands, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(bytes);
      float* row = memory.as<float>();
      T *above = memory.as<T>(static_cast<std::size_t>(pitch) * sizeof(float)), *sums = above + pitch;
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t image = task / bands, first = task % bands * rows;
        std::copy_n(starts + task * pitch, pitch, above);
        for (std::int64_t y = first; y < std::min(first + rows, window_.height); ++y) {
          read(src, image, y, row);
          add_row<T, is_squared>(row, window_.width, channels_, above, sums);
          write(sums, dst, image, y, row);
          std::swap(above, sums);
        }
      }
    });
  }

  void read(const View& src, std::int64_t image, std::int64_t y, float* row) const {
    fetch_row(src, image, shift_y_ + y, shift_x_, window_.width, edge_, row);
  }
  template <class T>
  void sum_along(const T* columns, T* sums) const {
    for (std::int64_t x = 0; x < window_.width * channels_; ++x) sums[x] = columns[x] + (x >= channels_ ? sums[x - channels_] : T{});
  }
  // One rounding of a float64 product.
  template <class T>
  void write(const T* sums, const View& dst, std::int64_t image, std::int64_t y, float* row) const {
    const std::int64_t count = window_.width * channels_;
    if constexpr (std::is_same_v<T, std::int32_t>) {
      const Vec<float> factor = static_cast<float>(factor_) - Vec<float>{};
      for (std::int64_t x = 0; x < count; x += lanes<float>) store(row + x, __builtin_convertvector(load<Vec<T>>(sums + x), Vec<float>) * factor);
    } else {
      using Half [[gnu::vector_size(MPSKIT_VECTOR_BYTES / 2)]] = float;
      const Vec<double> factor = factor_ - Vec<double>{};
      for (std::int64_t x = 0; x < count; x += lanes<double>) store(row + x, __builtin_convertvector(load<Vec<double>>(sums + x) * factor, Half));
    }
    from_float(row, dst.layout.dtype, dst.row<std::byte>(image, window_.y + y) + window_.x * channels_ * dst.layout.element_bytes(), count);
  }

  EdgeMode edge_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_, channels_;
  double factor_;
  bool is_exact_, is_narrow_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
