#pragma once
// int8 as tiles: a row of A is 64 terms, a row of B four terms of each of 16 columns.
#include "cpu/gemm/pack.inl"
#include "cpu/gemm/tile_unit.inl"

namespace mpskit::cpu::MPSKIT_ISA {
#ifdef MPSKIT_HAS_TILES

// Some rows of bytes, zeros beyond them: as many rows and bytes as dst has.
template <int rows, int bytes>
MPSKIT_INLINE void copy_byte_rows(const std::int8_t* src, std::ptrdiff_t stride, std::int64_t count, std::int64_t length, std::int8_t* dst) {
  for (int y = 0; y < rows; ++y) {
    std::int8_t* d = dst + y * bytes;
    if (y < count && length == bytes) {
      std::memcpy(d, src + y * stride, bytes);
    } else {
      std::memset(d, 0, bytes);
      if (y < count) std::memcpy(d, src + y * stride, static_cast<std::size_t>(length));
    }
  }
}

// 64 bytes, [column][term], of some columns of some terms.
inline void interleave_terms(const std::int8_t* src, std::ptrdiff_t stride, std::int64_t terms, std::int64_t columns, std::int8_t* dst) {
  using Bytes [[gnu::vector_size(16)]] = std::int8_t;
  using Pairs [[gnu::vector_size(16)]] = std::int16_t;
  alignas(16) std::int8_t padded[4 * tile_side];
  if (terms < 4 || columns < tile_side) {
    copy_byte_rows<4, tile_side>(src, stride, terms, columns, padded);
    src = padded;
    stride = tile_side;
  }
  const auto a = load<Bytes>(src), b = load<Bytes>(src + stride), c = load<Bytes>(src + 2 * stride), d = load<Bytes>(src + 3 * stride);
  auto low = [](Bytes x, Bytes y) { return (Pairs)__builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); };
  auto high = [](Bytes x, Bytes y) { return (Pairs)__builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31); };
  auto store_both = [&](Pairs ab, Pairs cd, std::int8_t* to) {
    store(to, (Bytes)__builtin_shufflevector(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
    store(to + 16, (Bytes)__builtin_shufflevector(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15));
  };
  store_both(low(a, b), low(c, d), dst);
  store_both(high(a, b), high(c, d), dst + 32);
}

// Four bytes at a time: dst[c][r] = src[r][c] of a tile.
inline void transpose_byte_tile(const std::int8_t* src, std::int8_t* dst) {
  const auto* s = reinterpret_cast<const float*>(src);
  auto* d = reinterpret_cast<float*>(dst);
  for (std::int64_t r = 0; r < tile_side; r += 8)
    for (std::int64_t c = 0; c < tile_side; c += 8) transpose_eight(s + r * tile_side + c, tile_side, d + c * tile_side + r, tile_side);
}

// Rows [m, m + rows) and terms [k, k + length) of A: [16 rows][64 terms], tile after tile along k.
inline void copy_byte_tiles(const GemmMatrix& a, std::int64_t m, std::int64_t rows, std::int64_t k, std::int64_t length, std::int8_t* dst) {
  const Stored<std::int8_t> src(a);
  for (std::int64_t i = 0; i < rows; i += tile_side)
    for (std::int64_t t = 0; t < length; t += ByteTiles::group, dst += tile_bytes) {
      const std::int64_t high = std::min(tile_side, rows - i), some = std::min<std::int64_t>(ByteTiles::group, length - t);
      if (!a.transposed) {
        copy_byte_rows<tile_side, ByteTiles::group>(src.at(m + i, k + t), src.stride, high, some, dst);
      } else {
        alignas(64) std::int8_t turned[tile_bytes];
        for (std::int64_t q = 0; q < ByteTiles::group; q += 4)
          interleave_terms(q < some ? src.at(k + t + q, m + i) : nullptr, src.stride, std::clamp<std::int64_t>(some - q, 0, 4), high, turned + q * tile_side);
        transpose_byte_tile(turned, dst);
      }
    }
}

// Terms [k, k + length) of a panel of B, at most 64.
inline void pack_byte_tiles(const GemmMatrix& b, std::int64_t k, std::int64_t length, std::int64_t n, std::int64_t columns, std::int8_t* dst) {
  const Stored<std::int8_t> src(b);
  for (std::int64_t j = 0; j < tiled_columns; j += tile_side, dst += tile_bytes) {
    const std::int64_t wide = std::clamp<std::int64_t>(columns - j, 0, tile_side);
    if (wide == 0) {
      std::memset(dst, 0, tile_bytes);
    } else if (b.transposed) {
      alignas(64) std::int8_t rows[tile_bytes];
      copy_byte_rows<tile_side, ByteTiles::group>(src.at(n + j, k), src.stride, wide, length, rows);
      transpose_byte_tile(rows, dst);
    } else {
      for (std::int64_t q = 0; q < ByteTiles::group; q += 4)
        interleave_terms(q < length ? src.at(k + q, n + j) : nullptr, src.stride, std::clamp<std::int64_t>(length - q, 0, 4), wide, dst + q * tile_side);
    }
  }
}
#endif

}  // namespace mpskit::cpu::MPSKIT_ISA
