#include "cpu/cnn/soft_max.inl"

#include "cpu/simd/math.inl"
#include "cpu/simd/streams.inl"

namespace mpskit::cpu::MPSKIT_ISA::soft_max {
namespace {

// Where one of them is NaN the result may be any of the others: sums find the NaN again.
struct Larger {
  static MPSKIT_INLINE Floats of(Floats a, Floats b) { return maximum(a, b); }
};

MPSKIT_INLINE float most_of(Floats v) { return fold_lanes<1, Larger, float>(v)[0]; }

// Zeros behind the first lanes.
template <int... lane>
MPSKIT_INLINE Floats first_of(Floats v, std::int64_t count, std::integer_sequence<int, lane...>) {
  return Ints{lane...} < static_cast<int>(count) ? v : Floats{};
}

}  // namespace

float largest(const float* x, std::int64_t n) {
  if (n < step) {
    float most = x[0];
    for (std::int64_t i = 1; i < n; ++i) most = most > x[i] ? most : x[i];
    return most;
  }
  Floats m[4];
  for (Floats& v : m) v = load<Floats>(x);
  std::int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step)
    for (int j = 0; j < 4; ++j) m[j] = maximum(load<Floats>(x + i + j * step), m[j]);
  for (; i + step <= n; i += step) m[0] = maximum(load<Floats>(x + i), m[0]);
  m[0] = maximum(load<Floats>(x + n - step), m[0]);
  return most_of(maximum(maximum(m[0], m[1]), maximum(m[2], m[3])));
}

namespace {

MPSKIT_INLINE Floats last_step(const Waiting& w, Floats v) { return (v - w.first) * w.scale - w.second; }

// A row that is written piece by piece.
class WaitingRow {
 public:
  WaitingRow(const Waiting& w, std::int64_t n) : w_(w), n_(n), head_(before_line(w.dst, n)) {}
  // Of whole registers after the first cache line begins, the one `i` elements on.
  MPSKIT_INLINE void write(std::int64_t i) const {
    if (const std::int64_t x = head_ + i; x + step <= n_) stream(w_.dst + x, last_step(w_, load<Floats>(w_.values + x)));
  }
  void write_ends() const {
    write_some(0, head_);
    write_some(head_ + (n_ - head_) / step * step, n_);
  }

 private:
  void write_some(std::int64_t x, std::int64_t end) const {
    for (; x < end; x += step) store_pixels(w_.dst + x, last_step(w_, load_pixels(w_.values + x, std::min(step, end - x))), std::min(step, end - x));
  }

  Waiting w_;
  std::int64_t n_, head_;
};

// put(i, v, count) is told the exponentials from i on. The largest of the following row is found on the way, or else it is asked for.
template <bool finds_largest, class Put>
MPSKIT_INLINE double add_exponentials(const float* x, std::int64_t n, float most, Following* following, Put&& put) {
  constexpr std::int64_t block = 1024, line = 64 / sizeof(float);
  constexpr int cache = finds_largest ? 2 : 3;  // L2, L1
  Floats next[2]{all(-std::numeric_limits<float>::infinity()), all(-std::numeric_limits<float>::infinity())};
  const float* later = !following ? nullptr : finds_largest ? following->later : following->values;
  const float* result = finds_largest ? following->result : nullptr;
  const float* y = following && following->values ? following->values : x;  // behind the last one: something to read
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += block) {
    const std::int64_t end = std::min(n, begin + block);
    Floats sums[2]{};
    auto one = [&](std::int64_t i, int j) __attribute__((always_inline)) {
      const Floats v = exp_of_negative(load<Floats>(x + i) - most);
      put(i, v, step);
      sums[j] += v;
      if (finds_largest) next[j] = maximum(load<Floats>(y + i), next[j]);
    };
    std::int64_t i = begin;
    for (; i + 2 * step <= end; i += 2 * step) {
      if (later)
        for (std::int64_t ahead = 0; ahead < 2 * step; ahead += line) {
          __builtin_prefetch(later + i + ahead, 0, cache);
          if (result) __builtin_prefetch(result + i + ahead, 1, cache);
        }
      for (int j = 0; j < 2; ++j) one(i + j * step, j);
    }
    if (i + step <= end) {
      one(i, 0);
      i += step;
    }
    float rest = 0;
    if (const std::int64_t some = end - i; some > 0) {
      const Floats v = exp_of_negative(load_pixels(x + i, some) - most);
      put(i, v, some);
      rest = sum_of(first_of(v, some, std::make_integer_sequence<int, static_cast<int>(step)>{}));
    }
    total += double{sum_of(sums[0] + sums[1])} + double{rest};
  }
  if (finds_largest && n >= step) following->most = most_of(maximum(load<Floats>(y + n - step), maximum(next[0], next[1])));
  else if (following && following->values) following->most = largest(y, n);
  return total;
}

}  // namespace

double exponentials(const float* x, std::int64_t n, float most, float* e, Following* following, const Waiting& waiting) {
  auto keep = [=](std::int64_t i, Floats v, std::int64_t count) __attribute__((always_inline)) {
    if (!e) return;
    if (count == step) store(e + i, v);
    else store_pixels(e + i, v, count);
  };
  if (!following) return add_exponentials<false>(x, n, most, following, keep);
  if (!waiting.dst) return add_exponentials<true>(x, n, most, following, keep);
  const WaitingRow row(waiting, n);
  row.write_ends();
  return add_exponentials<false>(x, n, most, following, [=](std::int64_t i, Floats v, std::int64_t count) __attribute__((always_inline)) {
    row.write(i);
    keep(i, v, count);
  });
}
void write(const Waiting& waiting, std::int64_t n) {
  if (waiting.dst) stream_values(waiting.values, n, waiting.dst, [&](Floats v) { return last_step(waiting, v); });
}

void one_row(DType from, const std::byte* s, std::int64_t n, DType to, std::byte* d, float* scratch) {
  const float* x = scratch;
  float* e = to == DType::f32 ? reinterpret_cast<float*>(d) : scratch + n;
  if (!s) std::fill(scratch, scratch + n, 0.0f);
  else if (from == DType::f32) x = reinterpret_cast<const float*>(s);
  else to_float(from, s, n, scratch, 1 / unit_of(from));
  const auto scale = static_cast<float>(1 / exponentials(x, n, largest(x, n), e));
  if (to == DType::f32) transform(e, n, [=](Floats v) { return v * scale; });
  else from_float(e, to, d, n, scale * unit_of(to));
}

void several_rows(DType from, const std::byte* s, std::int64_t s_step, std::int64_t n, DType to, std::byte* d, std::int64_t d_step, float* e) {
  Floats most = all(-std::numeric_limits<float>::infinity()), sum{};
  visit_pixels(from, [&](auto p) {
    using S = decltype(p);
    for (std::int64_t c = 0; c < n; ++c) {
      S codes[step];
      for (std::int64_t i = 0; i < step; ++i) codes[i] = reinterpret_cast<const S*>(s + i * s_step)[c];
      const Floats x = load_pixels(codes) * (1 / unit<S>);
      store(e + c * step, x);
      most = maximum(most, x);
    }
  });
  for (std::int64_t c = 0; c < n; ++c) {
    const Floats v = exp_of_negative(load<Floats>(e + c * step) - most);
    store(e + c * step, v);
    sum += v;
  }
  visit_pixels(to, [&](auto p) {
    using D = decltype(p);
    const Floats scale = unit<D> / sum;
    for (std::int64_t c = 0; c < n; ++c) {
      D codes[step];
      store_pixels(codes, load<Floats>(e + c * step) * scale);
      for (std::int64_t i = 0; i < step; ++i) reinterpret_cast<D*>(d + i * d_step)[c] = codes[i];
    }
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA::soft_max
