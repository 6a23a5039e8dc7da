#pragma once
// What the instructions of AMX do, in C++: their order of additions, their one rounding each, and zeros for all that is below 2^-126.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace mpskit::cpu {

struct EmulatedTiles {
  static inline bool is_here = true;
  static inline thread_local bool is_configured = false;
  static inline thread_local std::int64_t products = 0;
  static inline thread_local std::byte tiles[8][16][64];

  static void begin() { is_configured = true; }
  static void end() { is_configured = false; }
  static void keep_floats_awake() {}
  static void must_be_configured() {
    if (!is_configured) throw std::logic_error("tiles are used before they are configured");
  }
  template <int t>
  static void zero() {
    must_be_configured();
    std::memset(tiles[t], 0, sizeof tiles[t]);
  }
  template <int t>
  static void load(const void* p, std::int64_t row_bytes = 64) {
    must_be_configured();
    for (int i = 0; i < 16; ++i) std::memcpy(tiles[t][i], static_cast<const std::byte*>(p) + i * row_bytes, 64);
  }
  template <int t>
  static void store(void* p, std::int64_t row_bytes) {
    must_be_configured();
    for (int i = 0; i < 16; ++i) std::memcpy(static_cast<std::byte*>(p) + i * row_bytes, tiles[t][i], 64);
  }
  static float flushed(float v) { return std::fabs(v) < 0x1p-126f ? 0.0f : v; }  // the sign of zero is of no interest here
  // A sum of two floats is rounded in double to where a second rounding cannot tell; so is one with a product of two bfloat16.
  static float sum(float a, double b) { return flushed(static_cast<float>(static_cast<double>(a) + b)); }
  template <int c, int a, int b>
  static void add_products_bf16() {
    must_be_configured();
    ++products;
    static thread_local float left[16][32], right[16][32];
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < 32; ++k) {
        std::uint16_t x, y;
        std::memcpy(&x, &tiles[a][i][2 * k], 2);
        std::memcpy(&y, &tiles[b][i][2 * k], 2);
        left[i][k] = flushed(std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16));
        right[i][k] = flushed(std::bit_cast<float>(static_cast<std::uint32_t>(y) << 16));
      }
    for (int i = 0; i < 16; ++i) {
      float chains[32]{}, old[16];  // even and odd terms of each column
      for (int k = 0; k < 16; ++k)
        for (int j = 0; j < 32; ++j) chains[j] = sum(chains[j], static_cast<double>(left[i][2 * k + j % 2]) * static_cast<double>(right[k][j]));
      std::memcpy(old, tiles[c][i], 64);
      for (int j = 0; j < 16; ++j) old[j] = sum(flushed(old[j]), static_cast<double>(sum(chains[2 * j], static_cast<double>(chains[2 * j + 1]))));
      std::memcpy(tiles[c][i], old, 64);
    }
  }
  template <int c, int a, int b>
  static void add_products_int8() {
    must_be_configured();
    ++products;
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 16; ++j) {
        std::int32_t total;
        std::memcpy(&total, &tiles[c][i][4 * j], 4);
        for (int k = 0; k < 64; ++k) total += static_cast<std::int8_t>(tiles[a][i][k]) * static_cast<std::int8_t>(tiles[b][k / 4][4 * j + k % 4]);
        std::memcpy(&tiles[c][i][4 * j], &total, 4);
      }
  }
};

}  // namespace mpskit::cpu
