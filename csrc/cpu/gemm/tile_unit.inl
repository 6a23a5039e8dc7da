#pragma once
// The unit that multiplies whole tiles (AMX), and what it multiplies. Tests compile an emulated one.
#if defined(MPSKIT_TILE_UNIT) || (defined(__x86_64__) && MPSKIT_VECTOR_BYTES == 64)
#define MPSKIT_HAS_TILES
#endif

namespace mpskit::cpu::MPSKIT_ISA {

template <class Kind>
inline constexpr bool is_tiled = false;

#ifdef MPSKIT_HAS_TILES

inline constexpr std::int64_t tile_side = 16;                  // rows of a tile; columns of one of sums
inline constexpr std::int64_t tile_bytes = tile_side * 64;
inline constexpr std::int64_t tiled_rows = 2 * tile_side;      // 2 x 2 tiles of sums, two of A and two of B are all there are
inline constexpr std::int64_t tiled_columns = 2 * tile_side;

#ifdef MPSKIT_TILE_UNIT
using TileUnit = MPSKIT_TILE_UNIT;
inline bool uses_tiles() { return TileUnit::is_here; }
#else
inline bool uses_tiles() { return active_isa() == Isa::amx; }

// Spelled as assembly: the intrinsics need a target that no other function of this instruction set has. Tile numbers are part of an
// instruction; compilers themselves never touch tiles.
struct TileUnit {
  // All eight tiles whole: 16 rows of 64 bytes. The state is the thread's own, and costs the system time at every switch while it lives.
  static void begin() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14]{};
      std::uint16_t row_bytes[16]{64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16]{16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    static_assert(sizeof config == 64);
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  static void end() { asm volatile("tilerelease"); }
  template <int t>
  static MPSKIT_INLINE void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(t));
  }
  template <int t>
  static MPSKIT_INLINE void load(const void* p, std::int64_t row_bytes = 64) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(row_bytes), "i"(t) : "memory");
  }
  template <int t>
  static MPSKIT_INLINE void store(void* p, std::int64_t row_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(row_bytes), "i"(t) : "memory");
  }
  template <int c, int a, int b>
  static MPSKIT_INLINE void add_products_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b));
  }
  template <int c, int a, int b>
  static MPSKIT_INLINE void add_products_int8() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b));
  }
  // The units of floats sleep after some 2000 cycles without work, and the store of a tile that finds them asleep waits 1000 more (Sapphire Rapids).
  static MPSKIT_INLINE void keep_floats_awake() { asm volatile("vcvtdq2ps %%ymm0, %%ymm1" : : : "xmm1"); }
};
#endif

// A row of a tile of A is 64 bytes along k; of a tile of B as many terms of 16 columns, two (four int8) at a time.
struct FloatTiles {
  using A = std::uint16_t;  // bfloat16
  using B = std::uint16_t;
  using Sum = float;
  static constexpr int group = 32;
  template <int c, int a, int b>
  static MPSKIT_INLINE void add_products() {
    TileUnit::template add_products_bf16<c, a, b>();
  }
};
struct ByteTiles {
  using A = std::int8_t;
  using B = std::int8_t;
  using Sum = std::int32_t;
  static constexpr int group = 64;
  template <int c, int a, int b>
  static MPSKIT_INLINE void add_products() {
    TileUnit::template add_products_int8<c, a, b>();
  }
};
template <>
inline constexpr bool is_tiled<FloatTiles> = true;
template <>
inline constexpr bool is_tiled<ByteTiles> = true;
template <>
inline constexpr int panel_width<FloatTiles> = tiled_columns;
template <>
inline constexpr int panel_width<ByteTiles> = tiled_columns;
#endif

}  // namespace mpskit::cpu::MPSKIT_ISA
