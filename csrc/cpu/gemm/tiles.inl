#pragma once
// Products by a unit that multiplies whole tiles (AMX): float factors as sums of bfloat16 planes, int8 as they are. README.md has the
// arithmetic and its error bound. Where there is no such unit only the magnitudes are left of this file.
#include "cpu/gemm/byte_tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

using FloatBits = Vec<std::uint32_t>;
MPSKIT_INLINE FloatBits bits_of(Vec<float> x) { return (FloatBits)x; }

// Bits of the least magnitude that is not zero, and of the greatest: infinity and NaN are greater than all numbers.
struct Magnitudes {
  std::uint32_t least = ~0u, most = 0;
  void add(const Magnitudes& m) {
    least = std::min(least, m.least);
    most = std::max(most, m.most);
  }
};
inline Magnitudes sum_of(std::span<const Magnitudes> found) {
  Magnitudes out;
  for (const Magnitudes& m : found) out.add(m);
  return out;
}
// The same of each lane. `least` is one less than the magnitude: of the same binade, or of the one below; zero becomes the greatest.
struct LaneMagnitudes {
  FloatBits least = ~FloatBits{}, most{};
  MPSKIT_INLINE void add(Vec<float> x) {
    const FloatBits u = bits_of(x) & 0x7fffffffu, below = u - 1;
    least = below < least ? below : least;
    most = u > most ? u : most;
  }
  Magnitudes all() const {
    Magnitudes out;
    for (int l = 0; l < lanes<float>; ++l) out.add({least[l], most[l]});
    return out;
  }
};
template <class S>
Magnitudes row_magnitudes(const S* src, std::int64_t n) {
  LaneMagnitudes found;
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) found.add(load_terms(src + i));
  Magnitudes out = found.all();
  for (; i < n; ++i) {
    const std::uint32_t u = std::bit_cast<std::uint32_t>(as_sum(src[i])) & 0x7fffffffu;
    out.add({u - 1, u});
  }
  return out;
}

// True when planes hold these numbers: finite, no plane rounds to infinity, none has a part that tiles take for zero (below 2^-126).
inline bool fits_planes(const Magnitudes& m) { return m.most >> 23 <= 253 && m.least >> 23 >= 28; }
// ... and sums of k products neither overflow nor lose to the flushing of results below 2^-126 more than 2^-36 of the least product.
inline bool fits_tiles(const Magnitudes& a, const Magnitudes& b, std::int64_t k) {
  if (!fits_planes(a) || !fits_planes(b)) return false;
  if (a.most == 0 || b.most == 0) return true;
  constexpr int bias = 127;
  const int least = static_cast<int>(a.least >> 23) + static_cast<int>(b.least >> 23) - 2 * bias;
  const int most = static_cast<int>(a.most >> 23) + static_cast<int>(b.most >> 23) - 2 * bias + 2;
  return least >= -84 && most + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(k))) + 1 <= 127;
}

#ifdef MPSKIT_HAS_TILES
// A bfloat16 nearest to finite x, in the high half. `is_even`: ties go to even numbers; else away from zero, for three instructions less, where
// nothing is lost by it.
template <bool is_even>
MPSKIT_INLINE FloatBits nearest_bf16(Vec<float> x) {
  const FloatBits u = bits_of(x);
  if constexpr (is_even) return (u + 0x7fffu + ((u >> 16) & 1u)) & 0xffff0000u;
  else return (u + 0x8000u) & 0xffff0000u;
}

// x = h + m + l, each a bfloat16: every difference is exact, and what is left after two has 8 significant bits. A float16 has nothing left after one.
// Two vectors of terms are told apart by 16 terms: as halves of 32 bits they need no shuffle.
template <int planes>
MPSKIT_INLINE void split_terms(Vec<float> x, Vec<float> y, std::uint16_t* dst, std::ptrdiff_t plane) {
#pragma GCC unroll 3
  for (int p = 0; p < planes; ++p) {
    const FloatBits h = nearest_bf16<planes == 1>(x), g = nearest_bf16<planes == 1>(y);
    store(dst + p * plane, (h >> 16) | g);
    if (p + 1 == planes) break;
    x -= (Vec<float>)h;
    y -= (Vec<float>)g;
  }
}
// A row of A: 32 terms to a row of a tile, then the same of the next plane.
template <int planes>
void split_row_of_a(const float* src, std::int64_t length, std::uint16_t* dst) {
  constexpr std::int64_t tile = tile_bytes / 2, half = FloatTiles::group / 2;
  for (std::int64_t k = 0; k < length; k += FloatTiles::group) {
    float padded[FloatTiles::group];
    const float* s = src + k;
    if (length - k < FloatTiles::group) {
      std::fill(std::copy(s, src + length, padded), padded + FloatTiles::group, 0.0f);
      s = padded;
    }
    for (int j = 0; j < half; j += lanes<float>) split_terms<planes>(load<Vec<float>>(s + j), load<Vec<float>>(s + half + j), dst + 2 * j, tile);
    dst += planes * tile;
  }
}
// 32 terms of a panel of B, a row of columns each: terms that are 16 apart lie together in tiles, the columns in two of them.
template <int planes, class S>
void split_panel_of_b(const S* src, std::ptrdiff_t stride, std::uint16_t* dst, LaneMagnitudes& found) {
  constexpr std::int64_t tile = tile_bytes / 2, half = FloatTiles::group / 2;
  LaneMagnitudes here = found;
  for (std::int64_t pair = 0; pair < half; ++pair)
    for (std::int64_t j = 0; j < tiled_columns; j += lanes<float>) {
      const S* s = src + pair * stride + j;
      std::uint16_t* d = dst + j / tile_side * tile + pair * 2 * tile_side + j % tile_side * 2;
      const Vec<float> x = load_terms(s), y = load_terms(s + half * stride);
      here.add(x);
      here.add(y);
      split_terms<planes>(x, y, d, 2 * tile);
    }
  found = here;
}
template <class F>
void with_planes(int planes, F&& f) {
  if (planes == 3) f(std::integral_constant<int, 3>{});
  else if (planes == 2) f(std::integral_constant<int, 2>{});
  else f(std::integral_constant<int, 1>{});
}

// Terms [k, k + length) of columns [n, n + columns) of B as float32, [term][tiled_columns]; the rest of the columns are zeros.
template <class S>
void unpack_panel(const GemmMatrix& b, std::int64_t k, std::int64_t length, std::int64_t n, std::int64_t columns, float* dst) {
  constexpr std::int64_t width = panel_width<F32>;
  if constexpr (width == tiled_columns) {
    pack_panel<F32, S>(b, k, length, n, columns, dst);
  } else {
    float part[FloatTiles::group * width];
    for (std::int64_t i = 0; i < length; i += FloatTiles::group) {
      const std::int64_t some = std::min<std::int64_t>(FloatTiles::group, length - i);
      for (std::int64_t j = 0; j < tiled_columns; j += width) {
        const std::int64_t count = std::clamp<std::int64_t>(columns - j, 0, width);
        if (count > 0) pack_panel<F32, S>(b, k + i, some, n + j, count, part);
        for (std::int64_t t = 0; t < some; ++t)
          for (std::int64_t x = 0; x < width; ++x) dst[(i + t) * tiled_columns + j + x] = count > 0 ? part[t * width + x] : 0.0f;
      }
    }
  }
}

// Terms [k, k + length) of a panel of B as tiles; k begins one.
template <class Kind, class S>
void pack_tiles(const GemmMatrix& b, std::int64_t k, std::int64_t length, std::int64_t n, std::int64_t columns, int planes, typename Kind::B* dst,
                LaneMagnitudes& found) {
  if constexpr (std::is_same_v<Kind, FloatTiles>) {
    with_planes(planes, [&](auto count) {
      alignas(64) float block[FloatTiles::group * tiled_columns];
      for (std::int64_t i = 0; i < length; i += FloatTiles::group) {
        const std::int64_t some = std::min<std::int64_t>(FloatTiles::group, length - i);
        if (!b.transposed && columns == tiled_columns && some == FloatTiles::group) {
          const Stored<S> src(b);
          split_panel_of_b<count>(src.at(k + i, n), src.stride, dst, found);
        } else {
          unpack_panel<S>(b, k + i, some, n, columns, block);
          std::fill(block + some * tiled_columns, block + FloatTiles::group * tiled_columns, 0.0f);
          split_panel_of_b<count>(block, tiled_columns, dst, found);
        }
        dst += planes * tiled_columns * FloatTiles::group;
      }
    });
  } else {
    pack_byte_tiles(b, k, length, n, columns, dst);
  }
}

// A row that tiles leave out.
inline void clear_row(std::int64_t length, int planes, std::uint16_t* dst) {
  for (std::int64_t k = 0; k < length; k += FloatTiles::group)
    for (int p = 0; p < planes; ++p, dst += tile_bytes / 2) std::memset(dst, 0, 64);
}

// The planes of A and B that meet: i + j <= 2, what is left out is below 2^-24 of a product. Each pair has a plane in common with the one before it.
struct PlanePairs {
  int count = 0, a[6]{}, b[6]{};
  constexpr PlanePairs(int a_planes, int b_planes) {
    int last = std::min(b_planes - 1, 3 - a_planes);
    for (int i = a_planes - 1; i >= 0; --i) {
      const int first = last;
      for (int j = -1, most = std::min(b_planes - 1, 2 - i); j <= most; ++j) {
        const int plane = j < 0 ? first : most - j;
        if (j >= 0 && plane == first) continue;
        a[count] = i;
        b[count++] = last = plane;
      }
    }
  }
};

// rows x columns tiles of sums. They begin as what is at `from`, if that is not null.
template <class Kind, int a_planes, int b_planes, int rows, int columns>
void tile_product(const MicroArguments<Kind>& m, const typename Kind::Sum* from, std::int64_t from_bytes, typename Kind::Sum* dst, std::int64_t dst_bytes) {
  using Unit = TileUnit;
  static constexpr PlanePairs pairs(a_planes, b_planes);
  constexpr std::int64_t right = tile_side * static_cast<std::int64_t>(sizeof *dst);
  if (from) {
    const auto* p = reinterpret_cast<const std::byte*>(from);
    Unit::template load<0>(p, from_bytes);
    if constexpr (columns > 1) Unit::template load<1>(p + right, from_bytes);
    if constexpr (rows > 1) Unit::template load<2>(p + tile_side * from_bytes, from_bytes);
    if constexpr (rows > 1 && columns > 1) Unit::template load<3>(p + tile_side * from_bytes + right, from_bytes);
  } else {
    Unit::template zero<0>();
    if constexpr (columns > 1) Unit::template zero<1>();
    if constexpr (rows > 1) Unit::template zero<2>();
    if constexpr (rows > 1 && columns > 1) Unit::template zero<3>();
  }
  const std::int64_t group_bytes = m.a_stride * tile_side, c_rows = (rows * tile_side + m.steps - 1) / m.steps, c_stride = m.c_stride;
  const std::byte *a = m.a, *b = reinterpret_cast<const std::byte*>(m.b), *ahead = m.ahead;
  const auto* c = m.c;
  for (std::int64_t step = 0; step < m.steps; ++step) {
    // What comes next is asked for: A to L1, a share of the panel behind this one, and the place of the sums.
    const std::byte* next = step + 1 < m.steps ? a + a_planes * tile_bytes : m.a + rows * group_bytes;
    for (std::int64_t i = 0; i < m.ahead_step; i += 64) __builtin_prefetch(ahead + i, 0, 2);
    ahead += m.ahead_step;
    for (std::int64_t i = 0; i < c_rows; ++i, c += c_stride) {
      __builtin_prefetch(c);
      if constexpr (columns > 1) __builtin_prefetch(c + tile_side);
    }
    auto multiply = [&](auto p) __attribute__((always_inline)) {
      constexpr int i = pairs.a[p], j = pairs.b[p];
      if constexpr (p == 0 || j != pairs.b[p == 0 ? 0 : p - 1]) {
        Unit::template load<6>(b + j * 2 * tile_bytes);
        if constexpr (columns > 1) Unit::template load<7>(b + (j * 2 + 1) * tile_bytes);
      }
      if constexpr (p == 0 || i != pairs.a[p == 0 ? 0 : p - 1]) {
        Unit::template load<4>(a + i * tile_bytes);
        if constexpr (rows > 1) Unit::template load<5>(a + i * tile_bytes + group_bytes);
      }
      Kind::template add_products<0, 4, 6>();
      if constexpr (columns > 1) Kind::template add_products<1, 4, 7>();
      if constexpr (rows > 1) Kind::template add_products<2, 5, 6>();
      if constexpr (rows > 1 && columns > 1) Kind::template add_products<3, 5, 7>();
      constexpr int lines = a_planes * static_cast<int>(tile_bytes) / 64, begin = lines * p / pairs.count, end = lines * (p + 1) / pairs.count;
#pragma GCC unroll 16
      for (int line = begin; line < end; ++line) {
        __builtin_prefetch(next + line * 64);
        if constexpr (rows > 1) __builtin_prefetch(next + group_bytes + line * 64);
      }
    };
    [&]<int... p>(std::integer_sequence<int, p...>) __attribute__((always_inline)) {
      (multiply(std::integral_constant<int, p>{}), ...);
    }(std::make_integer_sequence<int, pairs.count>{});
    Unit::keep_floats_awake();
    a += a_planes * tile_bytes;
    b += b_planes * 2 * tile_bytes;
  }
  auto* p = reinterpret_cast<std::byte*>(dst);
  Unit::template store<0>(p, dst_bytes);
  if constexpr (columns > 1) Unit::template store<1>(p + right, dst_bytes);
  if constexpr (rows > 1) Unit::template store<2>(p + tile_side * dst_bytes, dst_bytes);
  if constexpr (rows > 1 && columns > 1) Unit::template store<3>(p + tile_side * dst_bytes + right, dst_bytes);
}
template <class Kind>
void tile_product(const MicroArguments<Kind>& m, bool is_high, bool is_wide, const typename Kind::Sum* from, std::int64_t from_bytes, typename Kind::Sum* dst,
                  std::int64_t dst_bytes) {
  auto run = [&](auto a, auto b) {
    if (is_high) is_wide ? tile_product<Kind, a, b, 2, 2>(m, from, from_bytes, dst, dst_bytes) : tile_product<Kind, a, b, 2, 1>(m, from, from_bytes, dst, dst_bytes);
    else is_wide ? tile_product<Kind, a, b, 1, 2>(m, from, from_bytes, dst, dst_bytes) : tile_product<Kind, a, b, 1, 1>(m, from, from_bytes, dst, dst_bytes);
  };
  constexpr std::integral_constant<int, 1> one;
  if constexpr (std::is_same_v<Kind, FloatTiles>) {
    constexpr std::integral_constant<int, 2> two;
    constexpr std::integral_constant<int, 3> three;
    if (m.a_planes == 1) run(one, one);
    else if (m.a_planes == 2) m.b_planes == 2 ? run(two, two) : run(two, three);
    else m.b_planes == 2 ? run(three, two) : run(three, three);
  } else {
    run(one, one);
  }
}

// As a micro-kernel: c = alpha * sum + beta * c, bias and clamp of `height` rows and some registers of columns.
template <class Kind>
void multiply_tiles(const MicroArguments<Kind>& m, std::int64_t height, int registers) {
  using Sum = typename Kind::Sum;
  using V = Vec<Sum>;
  constexpr auto size = static_cast<std::int64_t>(sizeof(Sum));
  const std::int64_t columns = registers * lanes<Sum>;
  const bool is_high = height > tile_side, is_wide = columns > tile_side;
  // Sums of blocks before this one are where the tiles' begin.
  const bool continues = m.continues;
  const bool is_plain = !m.exact_rows && !m.bias && m.alpha == 1 && (continues || m.beta == 0);
  if (is_plain && height % tile_side == 0 && columns % tile_side == 0)
    return tile_product(m, is_high, is_wide, continues ? m.c : nullptr, m.c_stride * size, m.c, m.c_stride * size);
  alignas(64) Sum sums[tiled_rows * tiled_columns];
  if (continues) {
    if (height % tile_side != 0 || columns % tile_side != 0) std::fill(std::begin(sums), std::end(sums), Sum{});
    for (std::int64_t i = 0; i < height; ++i)
      for (int j = 0; j < registers; ++j) store(sums + i * tiled_columns + j * lanes<Sum>, load<V>(m.c + i * m.c_stride + j * lanes<Sum>));
  }
  tile_product(m, is_high, is_wide, continues ? sums : nullptr, tiled_columns * size, sums, tiled_columns * size);
  for (std::int64_t i = 0; i < height; ++i) {
    Sum* s = sums + i * tiled_columns;
    bool adds = m.beta != 0 && !continues;
    if constexpr (std::is_same_v<Sum, float>) {
      if (m.exact_rows && m.exact_rows[i]) {
        MicroArguments<F32> e{};
        e.a = e.ahead = reinterpret_cast<const std::byte*>(m.exact_rows[i]);
        e.b_step = tiled_columns;
        e.steps = m.exact_steps;
        e.alpha = 1;
        for (int j = 0; j < registers; ++j) {
          e.b = m.exact_b + j * lanes<float>;
          e.c = s + j * lanes<float>;
          narrow_kernels<F32>[0].run(e);
        }
        adds = m.beta != 0;
      }
    }
    Sum* c = m.c + i * m.c_stride;
    for (int j = 0; j < registers; ++j) {
      V v = load<V>(s + j * lanes<Sum>);
      if constexpr (std::is_same_v<Sum, float>) {
        v *= m.alpha;
        if (adds) v = multiply_add(m.beta - V{}, load<V>(c + j * lanes<Sum>), v);
        if (m.bias) v = minimum(all(m.high), maximum(all(m.low), v + load<V>(m.bias + j * lanes<Sum>)));
      } else if (adds) {
        v += load<V>(c + j * lanes<Sum>);
      }
      store(c + j * lanes<Sum>, v);
    }
  }
}

struct TilesInUse {
  TilesInUse() { TileUnit::begin(); }
  ~TilesInUse() { TileUnit::end(); }
  TilesInUse(const TilesInUse&) = delete;
  TilesInUse& operator=(const TilesInUse&) = delete;
};

// Rows of a part that are multiplied as they are, from one block of k on: there tiles would not hold the sums either. There are none as a rule.
class ExactRows {
 public:
  bool has(std::int64_t row) const { return !rows_.empty() && rows_[static_cast<std::size_t>(row)]; }
  void begin_block() { kept_.clear(); }
  void keep(std::int64_t row, std::int64_t rows, const float* terms, std::int64_t length) {
    rows_.resize(static_cast<std::size_t>(rows));
    rows_[static_cast<std::size_t>(row)] = kept_.emplace_back(terms, terms + length).data();
  }
  template <class Kind, class F>  // F: void(float* dst) writes the panel of B
  void begin_panel(MicroArguments<Kind>& m, F&& write, std::int64_t length) {
    if (rows_.empty()) return;
    panel_.resize(static_cast<std::size_t>(length * tiled_columns));
    write(panel_.data());
    m.exact_b = panel_.data();
    m.exact_steps = length;
  }
  const float* const* at(std::int64_t row) const { return rows_.empty() ? nullptr : rows_.data() + row; }

 private:
  std::vector<const float*> rows_;
  std::vector<std::vector<float>> kept_;
  std::vector<float> panel_;
};
#else
struct TilesInUse {};
struct ExactRows {};
#endif
struct NotTiled {};

}  // namespace mpskit::cpu::MPSKIT_ISA
