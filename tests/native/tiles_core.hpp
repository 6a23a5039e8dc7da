#pragma once
// Products by tiles against float64, for the instruction set in MPSKIT_ISA: with the instructions of AMX, or emulated ones. `Force` switches them off.
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "support.hpp"

#include "cpu/kernel.hpp"

#include "cpu/gemm/gemm.hpp"

namespace mpskit::cpu::MPSKIT_ISA::tiles_test {

constexpr double u = 0x1p-24;
enum class Fill { even, wide, cancelling };

inline std::vector<float> numbers(std::int64_t count, Fill fill, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    float v = static_cast<float>(static_cast<double>(random()) / 2147483648.0 - 1.0);
    if (v == 0) v = 0.5f;
    if (fill == Fill::wide) v = std::ldexp(std::copysign(1 + std::fabs(v), v), static_cast<int>(random() % 80) - 40);
    if (fill == Fill::cancelling && i % 2 == 1) v = -out[i - 1] * (1 + 0x1p-20f * v);
    out[i] = v;
  }
  return out;
}

struct Stored {  // a matrix of floats as some dtype, perhaps transposed
  std::vector<std::byte> bytes;
  GemmMatrix matrix;
  std::vector<float> values;  // as they were rounded, not transposed
};
inline Stored stored(std::vector<float> values, std::int64_t rows, std::int64_t columns, DType dtype, bool transposed) {
  Stored out;
  const auto e = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t row_bytes = ((transposed ? rows : columns) + 3) * e;
  out.bytes.resize(static_cast<std::size_t>((transposed ? columns : rows) * row_bytes));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      float& v = values[static_cast<std::size_t>(r * columns + c)];
      std::byte* p = out.bytes.data() + (transposed ? c : r) * row_bytes + (transposed ? r : c) * e;
      if (dtype == DType::f32) std::memcpy(p, &v, 4);
      else if (dtype == DType::f16) {
        const std::uint16_t h = float_to_half(v);
        v = half_to_float(h);
        std::memcpy(p, &h, 2);
      } else {
        const auto code = static_cast<std::int8_t>(std::lround(v * 127));
        v = code;
        std::memcpy(p, &code, 1);
      }
    }
  out.matrix = {out.bytes.data(), dtype, row_bytes, transposed};
  out.values = std::move(values);
  return out;
}

// Roundings that a sum of k terms may be off by, in u of the sum of the magnitudes: 17 in a tile and after it, one for each further tile of each of the
// `products` of planes, two for each block of 512 terms, and what the planes leave out.
inline double roundings(std::int64_t k, int products) { return 17 + products * static_cast<double>((k + 31) / 32) + 2 * static_cast<double>((k + 511) / 512) + 2; }

struct Case {
  std::int64_t m, n, k;
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  bool a_transposed = false, b_transposed = false;
  Fill fill = Fill::even;
  float alpha = 1, beta = 0;
  bool reduced = false;
};

// The result, as float64; sentinels beyond its columns are checked.
inline std::vector<double> run(const Case& t, const Gemm& problem) {
  Gemm g = problem;
  const auto e = static_cast<std::int64_t>(size_of(t.c));
  const std::int64_t row_bytes = (t.n + 5) * e;
  std::vector<std::byte> dst(static_cast<std::size_t>(t.m * row_bytes), std::byte{0x3c});  // of both dtypes a small number
  g.m = t.m, g.n = t.n, g.k = t.k;
  g.c = {dst.data(), t.c, row_bytes};
  g.alpha = t.alpha, g.beta = t.beta, g.allows_reduced = t.reduced;
  gemm(g);
  std::vector<double> out;
  bool is_kept = true;
  for (std::int64_t i = 0; i < t.m; ++i) {
    for (std::int64_t j = 0; j < t.n; ++j) out.push_back(mpskit::test::decode(t.c, dst.data() + i * row_bytes + j * e));
    for (std::int64_t b = t.n * e; b < row_bytes; ++b) is_kept = is_kept && dst[static_cast<std::size_t>(i * row_bytes + b)] == std::byte{0x3c};
  }
  REQUIRE(is_kept);
  return out;
}

// Some rows, the first and last and those about a tile's edges.
inline std::vector<std::int64_t> rows_to_check(std::int64_t m) {
  std::vector<std::int64_t> out;
  for (std::int64_t i : {std::int64_t{0}, std::int64_t{1}, std::int64_t{15}, std::int64_t{16}, std::int64_t{31}, std::int64_t{32}, m / 2, m - 17, m - 1})
    if (i >= 0 && i < m) out.push_back(i);
  return out;
}

inline double old_value(DType c) {
  std::array<std::byte, 8> bytes;
  bytes.fill(std::byte{0x3c});
  return mpskit::test::decode(c, bytes.data());
}

inline bool same(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

// Every element within `allowed` roundings of the exact sum.
inline void verify(const Case& t, const std::vector<double>& got, const std::vector<float>& a, const std::vector<float>& b, double allowed) {
  std::vector<double> sum(static_cast<std::size_t>(t.n)), magnitude(sum.size());
  for (std::int64_t i : rows_to_check(t.m)) {
    std::fill(sum.begin(), sum.end(), 0);
    std::fill(magnitude.begin(), magnitude.end(), 0);
    for (std::int64_t k = 0; k < t.k; ++k) {
      const double x = a[static_cast<std::size_t>(i * t.k + k)];
      const float* row = b.data() + k * t.n;
      for (std::size_t j = 0; j < sum.size(); ++j) {
        sum[j] += x * static_cast<double>(row[j]);
        magnitude[j] += std::fabs(x * static_cast<double>(row[j]));
      }
    }
    for (std::size_t j = 0; j < sum.size(); ++j) {
      const double old = t.beta == 0 ? 0 : static_cast<double>(t.beta) * old_value(t.c), wanted = static_cast<double>(t.alpha) * sum[j] + old;
      const double scale = std::fabs(static_cast<double>(t.alpha)) * magnitude[j] + std::fabs(old);
      const double value = got[static_cast<std::size_t>(i * t.n) + j], error = std::fabs(value - wanted);
      const double limit = allowed * u * scale + (t.c == DType::f16 ? 0x1p-11 * std::fabs(wanted) + 0x1p-25 : 0);
      if (!(error <= limit)) FAIL("row ", i, ", column ", j, ": got ", value, ", wanted ", wanted, ", off by ", error / (u * scale), " roundings; allowed ", allowed);
    }
  }
}

inline int planes_multiplied(DType a, DType b) { return a == DType::f16 && b == DType::f16 ? 4 : a == DType::f16 || b == DType::f16 ? 5 : 6; }

template <class Force>
void check_product(const Case& t, Force&& force) {
  CAPTURE(t.m);
  CAPTURE(t.n);
  CAPTURE(t.k);
  CAPTURE(name_of(t.a));
  CAPTURE(name_of(t.b));
  CAPTURE(name_of(t.c));
  CAPTURE(t.a_transposed);
  CAPTURE(t.b_transposed);
  CAPTURE(static_cast<int>(t.fill));
  CAPTURE(t.reduced);
  const Stored a = stored(numbers(t.m * t.k, t.fill, 1), t.m, t.k, t.a, t.a_transposed);
  std::vector<float> right = numbers(t.k * t.n, t.fill == Fill::cancelling ? Fill::even : t.fill, 2);
  if (t.fill == Fill::cancelling)  // terms come in pairs that almost cancel
    for (std::int64_t k = 1; k < t.k; k += 2) std::copy_n(right.begin() + (k - 1) * t.n, t.n, right.begin() + k * t.n);
  const Stored b = stored(std::move(right), t.k, t.n, t.b, t.b_transposed);
  Gemm g;
  g.a.matrix = a.matrix;
  g.b = b.matrix;
  force(true);
  set_num_threads(1);
  const std::vector<double> got = run(t, g);
  set_num_threads(2);
  REQUIRE(run(t, g) == got);
  set_num_threads(1);
  const bool is_integer = t.a == DType::i8;
  verify(t, got, a.values, b.values, is_integer ? 1 : t.reduced ? 0x1p16 : roundings(t.k, planes_multiplied(t.a, t.b)));
  force(false);
  const std::vector<double> otherwise = run(t, g);
  force(true);
  if (is_integer) REQUIRE(otherwise == got);
  else if (t.c == DType::f32) REQUIRE(otherwise != got);  // tiles it was
}

// Rows and whole factors that tiles must leave alone come out as they do without them.
template <class Force>
void check_exceptions(std::int64_t m, Force&& force) {
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const Case t{.m = m, .n = 261, .k = 64};
  const std::vector<std::pair<float, float>> marks{{infinite, 0.0f}, {-infinite, 1.0f}, {std::nanf(""), 1.0f}, {0x1p-140f, 0x1p-120f}, {0x1p-101f, 1.0f},
                                                   {0x1p127f, 0x1p60f}, {3.4e38f, 1.0f}, {0x1p-60f, 0x1p-60f}};
  for (const auto& mark : marks)
    for (const bool in_b : {false, true}) {
      const float special = mark.first, other = mark.second;
      CAPTURE(special);
      CAPTURE(other);
      CAPTURE(in_b);
      std::vector<float> left = numbers(t.m * t.k, Fill::even, 3), right = numbers(t.k * t.n, Fill::even, 4);
      std::vector<float>&x = in_b ? right : left, &y = in_b ? left : right;
      const std::int64_t special_row = in_b ? 7 : 40, width = in_b ? t.n : t.k;
      x[static_cast<std::size_t>(special_row * width + 5)] = special;
      if (special_row + 160 < (in_b ? t.k : t.m)) x[static_cast<std::size_t>((special_row + 160) * width + width - 1)] = -special;
      y[3] = other;
      y[y.size() - 2] = other;
      const Stored a = stored(left, t.m, t.k, DType::f32, false), b = stored(right, t.k, t.n, DType::f32, in_b);
      Gemm g;
      g.a.matrix = a.matrix;
      g.b = b.matrix;
      force(true);
      const std::vector<double> got = run(t, g);
      set_num_threads(2);
      const std::vector<double> again = run(t, g);
      set_num_threads(1);
      force(false);
      const std::vector<double> wanted = run(t, g);
      force(true);
      std::int64_t equal_rows = 0;
      bool is_deterministic = true;
      for (std::int64_t i = 0; i < t.m; ++i) {
        bool is_equal = true;
        for (std::int64_t j = 0; j < t.n; ++j) {
          const auto at = static_cast<std::size_t>(i * t.n + j);
          is_deterministic = is_deterministic && same(got[at], again[at]);
          is_equal = is_equal && same(got[at], wanted[at]);
        }
        equal_rows += is_equal;
        if (!in_b && i == special_row) REQUIRE(is_equal);
      }
      REQUIRE(is_deterministic);
      if (in_b && !(std::fabs(special) >= 0x1p-99f && std::fabs(special) < 0x1p127f)) REQUIRE(equal_rows == t.m);
      if (!in_b && !(other > 0 && other < 0x1p-99f)) REQUIRE(equal_rows < 20);  // the others went by tiles
    }
}

// One number of B that tiles cannot hold, the last that is packed: nothing may be added to C before it is found. The shapes are packed by each thread for
// itself, for all, and in several goes.
template <class Force>
void check_last_of_b(Force&& force) {
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{130, 261, 1300}, {800, 101, 70}, {97, 1900, 3001}})
    for (const float special : {std::numeric_limits<float>::infinity(), -std::nanf(""), 0x1p-140f, 0x1p-100f, 0x1.ffp127f})
      for (const bool is_transposed : {false, true}) {
        if (n > 1000 && (is_transposed || special != 0x1p-140f)) continue;  // a second each
        CAPTURE(m);
        CAPTURE(special);
        CAPTURE(is_transposed);
        const Case t{.m = m, .n = n, .k = k, .beta = -2};
        const Stored a = stored(numbers(m * k, Fill::even, 3), m, k, DType::f32, false);
        std::vector<float> right = numbers(k * n, Fill::even, 4);
        right.back() = special;
        const Stored b = stored(right, k, n, DType::f32, is_transposed);
        Gemm g;
        g.a.matrix = a.matrix;
        g.b = b.matrix;
        force(false);
        const std::vector<double> wanted = run(t, g);
        force(true);
        for (const int threads : {1, 2}) {
          set_num_threads(threads);
          const std::vector<double> got = run(t, g);
          REQUIRE(std::equal(got.begin(), got.end(), wanted.begin(), same));
        }
        set_num_threads(1);
      }
}

// A row that tiles leave alone in one block of k stays alone in all that follow, whose sums begin at its own.
template <class Force>
void check_exact_blocks(std::int64_t m, Force&& force) {
  const Case t{.m = m, .n = 261, .k = 1300};
  for (const std::int64_t column : {3, 700, 1299}) {
    CAPTURE(column);
    std::vector<float> left = numbers(t.m * t.k, Fill::even, 3);
    for (const std::int64_t row : {std::int64_t{0}, m / 2, m - 1}) {
      std::fill_n(left.begin() + row * t.k, t.k, 0.0f);
      left[static_cast<std::size_t>(row * t.k + column)] = 0x1p-140f;  // all sums are subnormal
    }
    const Stored a = stored(left, t.m, t.k, DType::f32, false), b = stored(numbers(t.k * t.n, Fill::even, 4), t.k, t.n, DType::f32, false);
    Gemm g;
    g.a.matrix = a.matrix;
    g.b = b.matrix;
    force(true);
    const std::vector<double> got = run(t, g);
    for (const std::int64_t row : {std::int64_t{0}, m / 2, m - 1})
      for (std::int64_t j = 0; j < t.n; ++j) {
        const float wanted = left[static_cast<std::size_t>(row * t.k + column)] * b.values[static_cast<std::size_t>(column * t.n + j)];
        REQUIRE(got[static_cast<std::size_t>(row * t.n + j)] == static_cast<double>(wanted));
      }
  }
}

// Weights, rows that are written, windows, bias, clamp, finish, groups of rows, parts: everything that layers ask for.
template <class Force>
void check_layers(Force&& force) {
  for (const DType weights : {DType::f32, DType::f16})
    for (const DType result : {DType::f32, DType::f16, DType::u8})
      for (const std::int64_t channels : {9, 130}) {
        CAPTURE(name_of(weights));
        CAPTURE(name_of(result));
        CAPTURE(channels);
        const std::int64_t side = 11, taps = 9, pixel = channels, k = taps * channels, m = 9 * 9, n = 197;
        std::vector<float> image = numbers(side * side * channels, Fill::even, 5);
        image[static_cast<std::size_t>(5 * side * channels + 3)] = 0x1p-120f;  // some windows go another way
        const Stored w = stored(numbers(n * k, Fill::even, 6), n, k, weights, false);
        const std::vector<float> bias = numbers(n, Fill::even, 7);
        GemmMatrix b = w.matrix;
        b.transposed = true;
        force(true);
        const PackedB packed = pack_b(b, k, n);
        auto rows = [&](std::int64_t first, std::int64_t count, std::int64_t k0, std::int64_t length, float* dst, std::int64_t stride) {
          for (std::int64_t i = 0; i < count; ++i)
            for (std::int64_t t = 0; t < length; ++t) {
              const std::int64_t y = (first + i) / 9, x = (first + i) % 9, tap = (k0 + t) / channels;
              dst[i * stride + t] = image[static_cast<std::size_t>(((y + tap / 3) * side + x + tap % 3) * pixel + (k0 + t) % channels)];
            }
        };
        std::vector<std::int64_t> pieces;
        for (std::int64_t tap = 0; tap < taps; ++tap) pieces.push_back((tap / 3 * side + tap % 3) * pixel * 4);
        const GemmWindows windows{image.data(), 9, side * pixel * 4, pixel * 4, pieces, channels};
        auto finish = [](const GemmTile& t) {
          for (std::int64_t i = 0; i < t.rows; ++i)
            for (std::int64_t j = 0; j < t.columns; ++j) t.values[i * t.stride + j] += 0.25f * static_cast<float>((t.first_row + i + t.first_column + j) % 2);
        };
        const auto e = static_cast<std::int64_t>(size_of(result));
        const std::int64_t pixel_bytes = (n + 3) * e, group_bytes = 9 * pixel_bytes + 2 * e;
        std::vector<std::byte> dst(static_cast<std::size_t>(9 * group_bytes), std::byte{0x3c});
        Gemm g;
        g.m = m, g.n = n, g.k = k;
        g.packed_b = &packed;
        g.c = {dst.data(), result, pixel_bytes, 9, group_bytes};
        g.alpha = 0.5f;
        g.bias = bias.data();
        g.low = -8, g.high = 9;
        g.finish = finish_with(finish);
        auto written = [&](auto&& go) {
          std::fill(dst.begin(), dst.end(), std::byte{0x3c});
          go();
          return dst;
        };
        g.a = rows_from(rows);
        const std::vector<std::byte> whole = written([&] { gemm(g); });
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            std::vector<float> row(static_cast<std::size_t>(k));
            rows(i, 1, 0, k, row.data(), 0);
            double sum = 0, magnitude = 0;
            if ((i * n + j) % 7 != 0) continue;
            for (std::int64_t t = 0; t < k; ++t) {
              const double term = static_cast<double>(row[static_cast<std::size_t>(t)]) * static_cast<double>(w.values[static_cast<std::size_t>(j * k + t)]);
              sum += term;
              magnitude += std::fabs(term);
            }
            double wanted = std::clamp(0.5 * sum + static_cast<double>(bias[static_cast<std::size_t>(j)]), -8.0, 9.0) + 0.25 * static_cast<double>((i + j) % 2);
            double allowed = u * ((roundings(k, 6) + (i == 45 ? static_cast<double>(k) : 0)) * magnitude + 12);
            if (result == DType::f16) allowed += 0x1p-11 * std::fabs(wanted) + 0x1p-25;
            if (result == DType::u8) {
              wanted = std::clamp(wanted, 0.0, 1.0);
              allowed += 0.5 / 255;
            }
            const double got = mpskit::test::decode(result, dst.data() + i / 9 * group_bytes + i % 9 * pixel_bytes + j * e);
            if (!(std::fabs(got - wanted) <= allowed)) FAIL("row ", i, ", column ", j, ": got ", got, ", wanted ", wanted, ", allowed ", allowed);
          }
        set_num_threads(2);
        REQUIRE(written([&] { gemm(g); }) == whole);
        set_num_threads(1);
        const auto parts = [&](std::int64_t height) {
          for (std::int64_t column = 0; column < n; column += 96)
            for (std::int64_t row = 0; row < m; row += height) gemm_part(g, row, std::min(height, m - row), column, std::min<std::int64_t>(96, n - column));
        };
        REQUIRE(written([&] { parts(20); }) == whole);
        g.a = {};
        g.a.windows = &windows;
        REQUIRE(written([&] { parts(27); }) == whole);
        force(false);
        const bool as_before = written([&] { parts(27); }) == whole;
        force(true);
        if (result == DType::f32) REQUIRE(!as_before);
      }
}

template <class Force>
void check(Force&& force) {
  const int threads = num_threads();
  set_num_threads(1);
  for (const auto& [a_transposed, b_transposed] : {std::pair{false, false}, {false, true}, {true, false}})
    for (const auto& [a, b] : {std::pair{DType::f32, DType::f32}, {DType::f16, DType::f16}, {DType::f32, DType::f16}, {DType::i8, DType::i8}})
      check_product({.m = 258, .n = 263, .k = 99, .a = a, .b = b, .a_transposed = a_transposed, .b_transposed = b_transposed}, force);
  for (const Fill fill : {Fill::wide, Fill::cancelling}) check_product({.m = 256, .n = 256, .k = 200, .fill = fill}, force);
  check_product({.m = 256, .n = 272, .k = 1100, .alpha = -0.5f, .beta = 2}, force);
  check_product({.m = 259, .n = 277, .k = 1100}, force);  // sums of a block go on from those before it, at the edges too
  check_product({.m = 256, .n = 272, .k = 1100, .a = DType::f16, .b = DType::f16, .c = DType::f16, .alpha = 0.25f, .beta = 2}, force);
  check_product({.m = 33, .n = 397, .k = 1100, .alpha = -0.5f}, force);  // few rows pack some panels at a time
  check_product({.m = 64, .n = 263, .k = 1100, .b_transposed = true}, force);
  check_product({.m = 49, .n = 397, .k = 1700, .a = DType::f16, .b = DType::f16, .c = DType::f16, .alpha = 0.25f}, force);
  check_product({.m = 70, .n = 64, .k = 1100, .a = DType::i8, .b = DType::i8, .c = DType::f16, .alpha = 0x1p-10f}, force);
  check_product({.m = 256, .n = 256, .k = 64, .reduced = true}, force);
  for (const std::int64_t m : {257, 60}) {  // 60: few rows beside the columns
    check_exceptions(m, force);
    check_exact_blocks(m, force);
  }
  check_last_of_b(force);
  check_layers(force);
  set_num_threads(threads);
}

}  // namespace mpskit::cpu::MPSKIT_ISA::tiles_test
