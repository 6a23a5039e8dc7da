#include "cpu/cnn/soft_max.inl"

#include "cpu/simd/math.inl"
#include "cpu/simd/pixels.inl"

namespace mpskit::cpu::MPSKIT_ISA::soft_max {
namespace {

// Where one of them is NaN the result may be any of the others: sums find the NaN again.
float largest_of(Floats v) {
  float lane[step];
  store(lane, v);
  for (int width = step / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] = lane[i] > lane[i + width] ? lane[i] : lane[i + width];
  return lane[0];
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
  return largest_of(maximum(maximum(m[0], m[1]), maximum(m[2], m[3])));
}

namespace {

// put(i, v, count) is told the exponentials from i on. `next` is asked for meanwhile: memory would be idle otherwise, and arithmetic when
// the next row begins.
template <class Put>
MPSKIT_INLINE double add_exponentials(const float* x, std::int64_t n, float most, const float* next, Put&& put) {
  constexpr std::int64_t block = 1024;
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += block) {
    const std::int64_t end = std::min(n, begin + block);
    Floats sums[2]{};
    std::int64_t i = begin;
    for (; i + 2 * step <= end; i += 2 * step) {
      if (next) __builtin_prefetch(next + i);
      for (int j = 0; j < 2; ++j) {
        const Floats v = exp_of_negative(load<Floats>(x + i + j * step) - most);
        put(i + j * step, v, step);
        sums[j] += v;
      }
    }
    if (i + step <= end) {
      const Floats v = exp_of_negative(load<Floats>(x + i) - most);
      put(i, v, step);
      sums[0] += v;
      i += step;
    }
    float rest = 0;
    if (const std::int64_t some = end - i; some > 0) {
      const Floats v = exp_of_negative(load_pixels(x + i, some) - most);
      put(i, v, some);
      for (std::int64_t j = 0; j < some; ++j) rest += v[j];
    }
    total += double{sum_of(sums[0] + sums[1])} + double{rest};
  }
  return total;
}

}  // namespace

double exponentials(const float* x, std::int64_t n, float most, float* e, const float* next) {
  return add_exponentials(x, n, most, next, [=](std::int64_t i, Floats v, std::int64_t count) __attribute__((always_inline)) {
    if (count == step) store(e + i, v);
    else store_pixels(e + i, v, count);
  });
}
double sum_of_exponentials(const float* x, std::int64_t n, float most, const float* next) {
  return add_exponentials(x, n, most, next, [](std::int64_t, Floats, std::int64_t) {});
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
