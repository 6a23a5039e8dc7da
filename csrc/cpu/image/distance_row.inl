#pragma once
// Squared distances along a row: out[q] = the least of (q - x) * (q - x) + f[x] over all x, where f[x] is the squared distance to the nearest
// pixel of column x. Two ways to the same integers. Where all distances are short, neighbours are looked at until none can be nearer. Else the
// parabolas that make up the lower envelope are found (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012), as the convex hull of the points
// (x, f[x] + x * x), which needs no divisions to build; most columns are dismissed first, many at a time.
#include "cpu/image/order.inl"
#include "cpu/simd/any.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Integers while all sums of squares stay below 2^29; `infinite` may be doubled.
template <class T>
struct SquaredDistance;
template <>
struct SquaredDistance<std::int32_t> {
  using Steps = std::int16_t;  // along a column
  using Wide = std::int64_t;   // holds a product of a difference of squares and a difference of places
  static constexpr Steps no_step = 16384;
  static constexpr std::int64_t most_rows = 16382;  // no_step and a step a row, and one more on the way up, are an int16
  static constexpr std::int64_t most = 1 << 29;
  static constexpr std::int32_t infinite = (1 << 30) - (1 << 20);
};
template <>
struct SquaredDistance<double> {
  using Steps = double;
  using Wide = double;
  static constexpr Steps no_step = std::numeric_limits<double>::infinity();
  static constexpr double infinite = std::numeric_limits<double>::infinity();
};

template <class T>
class DistanceRow {
 public:
  using Trait = SquaredDistance<T>;
  static constexpr std::int64_t margin = 64;  // infinite ones on both sides of f, and room behind out

  // Results are wanted for [first, first + count).
  DistanceRow(std::int64_t width, std::int64_t first, std::int64_t count, bool is_clamped) : width_(width), first_(first), count_(count), is_clamped_(is_clamped) {}

  static std::size_t bytes(std::int64_t width, std::int64_t count) {
    return static_cast<std::size_t>((width + 2 * margin) + 2 * (count + margin)) * sizeof(T) +
           static_cast<std::size_t>(width + margin) * (2 * sizeof(typename Trait::Wide) + sizeof(std::int32_t));
  }
  // Memory of bytes(); f is to be filled before each run, out holds the results after it.
  void set_memory(std::byte* memory) {
    auto take = [&]<class U>(U*, std::int64_t n) {
      U* at = reinterpret_cast<U*>(memory);
      memory += static_cast<std::size_t>(n) * sizeof(U);
      return at;
    };
    hull_x_ = take(static_cast<typename Trait::Wide*>(nullptr), width_ + margin);
    hull_h_ = take(static_cast<typename Trait::Wide*>(nullptr), width_ + margin);
    f_ = take(static_cast<T*>(nullptr), width_ + 2 * margin) + margin;
    out_ = take(static_cast<T*>(nullptr), count_ + margin);
    nearest_ = take(static_cast<T*>(nullptr), count_ + margin);
    chosen_ = take(static_cast<std::int32_t*>(nullptr), width_ + margin);
    std::fill_n(f_ - margin, width_ + 2 * margin, Trait::infinite);
  }
  T* f() { return f_; }
  const T* out() const { return out_; }

  void run() {
    const std::int64_t chosen = choose();
    // Neighbours first where the envelope would have many corners, unless that was in vain in the rows before.
    const bool is_inside = first_ >= 0 && first_ + count_ <= width_ && count_ >= block * lanes<T>;
    if (is_inside && chosen * 8 > width_) {
      if (vain_ < 2 || ++vain_ % 16 == 0) {
        if (look_around()) {
          vain_ = 0;
          return;
        }
        vain_ = std::max(vain_, 0) + 1;
      } else begin();
    } else begin();
    if (chosen > 0) envelope(chosen);
  }

 private:
  using V = Vec<T>;
  static constexpr std::int64_t block = 4;  // registers at a time
  static MPSKIT_INLINE V numbers(T from) {
    V v{};  // GCC 12 cannot see that the loop fills it
    for (int i = 0; i < lanes<T>; ++i) v[i] = from + static_cast<T>(i);
    return v;
  }

  // What lies in the same column.
  void begin() {
    for (std::int64_t i = 0; i < count_;) {
      const std::int64_t q = first_ + i;
      if (q >= 0 && q < width_) {
        const std::int64_t n = std::min(count_ - i, width_ - q);
        std::copy_n(f_ + q, n, out_ + i);
        i += n;
      } else {
        const std::int64_t n = q < 0 ? std::min(count_ - i, -q) : count_ - i;
        std::fill_n(out_ + i, n, !is_clamped_ ? Trait::infinite : q < 0 ? f_[0] : f_[width_ - 1]);
        i += n;
      }
    }
  }

  // Column x can be the nearest of a pixel that is not in it only if the next column on that pixel's side is more than 1 worse, and if
  // it is no worse than what columns on both its sides give at every place between.
  std::int64_t choose() {
    std::int64_t n = 0;
    for (std::int64_t x = 0; x < width_; x += lanes<T>) {
      const V here = load<V>(f_ + x), left = load<V>(f_ + x - 1), right = load<V>(f_ + x + 1);
      auto keep = (left > here + 1) | (right > here + 1);
      if (!any((Vec<std::int32_t>)keep)) continue;
      keep &= left + right + 2 > here + here;
      for (const int k : {2, 4}) keep &= load<V>(f_ + x - k) + load<V>(f_ + x + k) + static_cast<T>(2 * k * k) >= here + here;
      if (!any((Vec<std::int32_t>)keep)) continue;
      for (int i = 0; i < lanes<T>; ++i) {
        chosen_[n] = static_cast<std::int32_t>(x) + i;
        n += keep[i] != 0;
      }
    }
    return n;
  }

  // False when some pixel may have a nearer one farther away than was looked; out is an upper bound then.
  bool look_around() {
    constexpr std::int64_t farthest = 24;
    bool is_done = true;
    for (std::int64_t begin = 0; begin < count_; begin += block * lanes<T>) {
      const std::int64_t i = std::min(begin, count_ - block * lanes<T>);  // the last one overlaps
      const T* p = f_ + first_ + i;
      V best[block];
      for (int b = 0; b < block; ++b) best[b] = load<V>(p + b * lanes<T>);
      T k = 0;
      for (;;) {
        const T next = (k + 1) * (k + 1);
        V most = best[0];
        for (int b = 1; b < block; ++b) most = upper(best[b], most);
        if (!any((Vec<std::int32_t>)(most > next))) break;
        if (k >= static_cast<T>(farthest)) {
          is_done = false;
          break;
        }
        for (int step = 0; step < 2; ++step) {
          ++k;
          const auto far = static_cast<std::int64_t>(k);
          for (int b = 0; b < block; ++b) {
            const T* at = p + b * lanes<T>;
            best[b] = lower(best[b], lower(load<V>(at - far), load<V>(at + far)) + k * k);
          }
        }
      }
      for (int b = 0; b < block; ++b) store(out_ + i + b * lanes<T>, best[b]);
    }
    return is_done;
  }

  void envelope(std::int64_t chosen) {
    using Wide = typename Trait::Wide;
    std::int64_t n = 0;
    Wide *px = hull_x_, *ph = hull_h_;
    for (std::int64_t i = 0; i < chosen; ++i) {
      const auto x = static_cast<Wide>(chosen_[i]), h = static_cast<Wide>(f_[chosen_[i]]) + x * x;
      while (n >= 2 && (ph[n - 1] - ph[n - 2]) * (x - px[n - 1]) >= (h - ph[n - 1]) * (px[n - 1] - px[n - 2])) --n;
      px[n] = x;
      ph[n++] = h;
    }
    // Each parabola is the lowest up to where the next one crosses it.
    const auto low = static_cast<double>(first_), high = static_cast<double>(first_ + count_);
    std::int64_t begin = first_;
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t end = first_ + count_;
      if (i + 1 < n) {
        const double crossing = static_cast<double>(ph[i + 1] - ph[i]) / static_cast<double>(2 * (px[i + 1] - px[i]));
        end = static_cast<std::int64_t>(std::clamp(std::floor(crossing) + 1, low, high));
      }
      const auto x = static_cast<T>(px[i]);
      const T f = f_[static_cast<std::int64_t>(px[i])];
      for (std::int64_t q = begin; q < end; q += lanes<T>) {
        const V d = numbers(static_cast<T>(q)) - x;
        store(nearest_ + (q - first_), d * d + f);
      }
      begin = std::max(begin, end);
    }
    for (std::int64_t i = 0; i < count_; i += lanes<T>) store(out_ + i, lower(load<V>(out_ + i), load<V>(nearest_ + i)));
  }

  std::int64_t width_, first_, count_;
  bool is_clamped_;
  int vain_ = 0;
  T *f_ = nullptr, *out_ = nullptr, *nearest_ = nullptr;
  typename Trait::Wide *hull_x_ = nullptr, *hull_h_ = nullptr;
  std::int32_t* chosen_ = nullptr;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
