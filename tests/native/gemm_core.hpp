// What the matrix core offers to convolutions and recurrent layers, for the ISA in MPSKIT_ISA: rows written by a function,
// packed panels, bias, finish, unorm results, padded groups of rows, parts. Products of matrices are tested from Python.
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "support.hpp"

#include "cpu/kernel.hpp"

#include "cpu/gemm/gemm.hpp"

namespace mpskit::cpu::MPSKIT_ISA::test {

struct Numbers {
  std::vector<float> values;
  Numbers(std::int64_t n, unsigned seed) : values(static_cast<std::size_t>(n)) {
    std::mt19937 random(seed);
    for (float& v : values) v = static_cast<float>(static_cast<double>(random()) / 2147483648.0 - 1.0);
  }
  double operator[](std::int64_t i) const { return static_cast<double>(values[static_cast<std::size_t>(i)]); }
};

// A pixel of the image `src` (side x side x channels) or zeros beyond it: the rows of a 3 x 3 convolution.
struct Window {
  const std::byte* src;
  const std::byte* zeros;
  std::int64_t side, pixel_bytes;
  void operator()(std::int64_t m, const void** out) const {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      const std::int64_t y = m / side + tap / 3 - 1, x = m % side + tap % 3 - 1;
      const bool inside = y >= 0 && x >= 0 && y < side && x < side;
      out[tap] = inside ? src + (y * side + x) * pixel_bytes : zeros;
    }
  }
};

// A convolution of an image with everything that the core does on the way.
inline void convolve(DType image, DType weights_dtype, DType result, std::int64_t channels, std::int64_t n) {
  CAPTURE(channels);
  CAPTURE(n);
  const std::int64_t side = 9, m = side * side, k = 9 * channels;
  const Numbers pixels(m * channels, 1), weights(n * k, 2), bias(n, 3);
  const auto e = static_cast<std::int64_t>(size_of(image));
  std::vector<std::byte> src(static_cast<std::size_t>(m * channels * e)), zeros(static_cast<std::size_t>(channels * e));
  std::vector<double> exact_src(pixels.values.size());
  for (std::size_t i = 0; i < pixels.values.size(); ++i) {
    std::byte* p = src.data() + i * static_cast<std::size_t>(e);
    const float v = pixels.values[i];
    if (image == DType::f32) std::memcpy(p, &v, 4);
    else if (image == DType::f16) {
      const std::uint16_t h = float_to_half(v);
      std::memcpy(p, &h, 2);
    } else {
      const auto code = static_cast<std::uint8_t>(std::lround(std::fabs(v) * 255));
      std::memcpy(p, &code, 1);
    }
    exact_src[i] = mpskit::test::decode(image, p);
  }
  std::vector<std::uint16_t> half_weights(weights.values.size());
  for (std::size_t i = 0; i < half_weights.size(); ++i) half_weights[i] = float_to_half(weights.values[i]);
  auto weight = [&](std::int64_t i) {
    return weights_dtype == DType::f16 ? static_cast<double>(half_to_float(half_weights[static_cast<std::size_t>(i)])) : weights[i];
  };
  const bool is_half = weights_dtype == DType::f16;
  const PackedB packed = pack_b({is_half ? static_cast<const void*>(half_weights.data()) : weights.values.data(), weights_dtype,
                                 k * static_cast<std::int64_t>(size_of(weights_dtype)), true}, k, n);

  // Rows of the result: pixels of image rows that are padded, each pixel wider than n.
  const auto o = static_cast<std::int64_t>(size_of(result));
  const std::int64_t pixel_bytes = (n + 2) * o, row_bytes = side * pixel_bytes + 3 * o;
  std::vector<std::byte> dst(static_cast<std::size_t>(side * row_bytes), std::byte{0x5a});
  const WindowRows rows{Window{src.data(), zeros.data(), side, channels * e}, 9, channels, image};
  auto relu = [](const GemmTile& t) {
    for (std::int64_t i = 0; i < t.rows; ++i)
      for (std::int64_t j = 0; j < t.columns; ++j) {
        float& v = t.values[i * t.stride + j];
        v = (v > 0 ? v : 0) + 0.125f * static_cast<float>((t.first_row + i + t.first_column + j) % 2);
      }
  };
  Gemm g;
  g.m = m, g.n = n, g.k = k;
  g.a = rows_from(rows);
  g.packed_b = &packed;
  g.c = {dst.data(), result, pixel_bytes, side, row_bytes};
  g.alpha = 0.5f;
  g.bias = bias.values.data();
  g.finish = finish_with(relu);
  auto verify = [&] {
    for (std::int64_t i = 0; i < m; ++i) {
      const std::byte* pixel = dst.data() + i / side * row_bytes + i % side * pixel_bytes;
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0, magnitude = 0;
        for (std::int64_t tap = 0; tap < 9; ++tap) {
          const std::int64_t y = i / side + tap / 3 - 1, x = i % side + tap % 3 - 1;
          if (y < 0 || x < 0 || y >= side || x >= side) continue;
          for (std::int64_t c = 0; c < channels; ++c) {
            const double term = exact_src[static_cast<std::size_t>((y * side + x) * channels + c)] * weight(j * k + tap * channels + c);
            sum += term;
            magnitude += std::fabs(term);
          }
        }
        double wanted = std::max(0.0, 0.5 * sum + bias[j]) + 0.125 * static_cast<double>((i + j) % 2);
        double allowed = 1.2e-7 * static_cast<double>(k + 4) * (magnitude + 2);
        if (result == DType::f16) allowed += 4.9e-4 * wanted;
        if (result == DType::u8 || result == DType::u16) {
          wanted = std::min(wanted, 1.0);
          allowed += 0.5 / (result == DType::u8 ? 255 : 65535);
        }
        REQUIRE(std::fabs(mpskit::test::decode(result, pixel + j * o) - wanted) <= allowed);
      }
      for (std::int64_t b = n * o; b < pixel_bytes; ++b) REQUIRE(pixel[b] == std::byte{0x5a});
    }
  };
  gemm(g);
  verify();
  // The same in parts, on this thread.
  const std::vector<std::byte> whole = dst;
  std::fill(dst.begin(), dst.end(), std::byte{0x5a});
  for (std::int64_t column = 0; column < n; column += panel_columns)
    for (std::int64_t row = 0; row < m; row += 20)
      gemm_part(g, row, std::min<std::int64_t>(20, m - row), column, std::min<std::int64_t>(panel_columns, n - column));
  REQUIRE(dst == whole);
}

inline void check() {
  for (DType image : {DType::f32, DType::f16, DType::u8})
    for (DType weights : {DType::f32, DType::f16})
      for (DType result : {DType::f32, DType::f16, DType::u8, DType::u16}) {
        CAPTURE(name_of(image));
        CAPTURE(name_of(weights));
        CAPTURE(name_of(result));
        for (std::int64_t n : {1, 7, 32, 70}) convolve(image, weights, result, 3, n);
        convolve(image, weights, result, 67, 33);  // several blocks of k
      }
}

}  // namespace mpskit::cpu::MPSKIT_ISA::test
