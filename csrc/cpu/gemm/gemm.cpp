#include "cpu/gemm/gemm.hpp"
#include "cpu/parallel_steps.hpp"

#include "cpu/gemm/register.inl"
#include "cpu/simd/math.inl"
#include "cpu/gemm/micro_kernel.inl"
#include "cpu/gemm/pack.inl"
#include "cpu/gemm/row_product.inl"
#include "cpu/gemm/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }
constexpr std::int64_t blocks_of(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit; }

// Terms of k that one pass over a block of C adds. Fixed, so that sums do not depend on anything but K. A panel of so many is 64 KiB, or
// 128 KiB where there is AVX-512: it streams from L2, and the ends of a tile, a twentieth of 256 terms, are paid seldom.
constexpr std::int64_t most_terms = 1024;
std::int64_t terms_per_block(std::int64_t k) { return k <= most_terms ? k : up(blocks_of(k, blocks_of(k, most_terms)), 4); }
constexpr std::int64_t few_rows_terms = 32;
// A block of A stays in L2, with two panels of B and C passing by: 1 MiB where there is AVX-512, at least half of that elsewhere.
constexpr std::int64_t block_bytes = MPSKIT_VECTOR_BYTES == 64 ? 512 << 10 : 128 << 10;
constexpr std::int64_t small_a_bytes = 5 * block_bytes / 2;
// Panels of B that one product packs at a time: what L3 keeps while all rows of A pass by.
constexpr std::int64_t packed_bytes = 4 << 20, packed_tiles_bytes = 32 << 20;
// A block of this much starts on a huge page: its lines lie in all sets of L2 alike, where single pages lie as chance has it.
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t on_huge_page(std::size_t bytes) { return bytes < huge_page / 32 ? bytes : std::max(bytes, huge_page); }
// A transposed factor is read along its rows, as dot products, when so few rows of A use it that turning it would cost more.
constexpr std::int64_t dot_rows = 8;
constexpr std::int64_t exact_pairs = 131071;  // terms of int8 products that int32 holds: (2^31 - 1) / 2^14

// Bytes from row to row in a block of A: an odd number of lines, so that the rows use all sets of the caches.
constexpr std::int64_t a_row_bytes(std::int64_t terms, std::int64_t size) { return up(terms * size, 128) + 64; }

// Tiles pay when products outweigh the planes of both factors: from 96 x 96 x 96 on, a batch of which takes 0.92 of the time (Sapphire Rapids, one core).
constexpr std::int64_t least_tiled_terms = 64, least_tiled_side = 96, least_tiled_bytes = 64;
// ... and with weights, whose planes are made once: 16 rows of 1024 terms take as long or longer, 32 take 0.73 to 0.95 of it.
constexpr std::int64_t least_tiled_columns = 192, least_tiled_rows = 32;
// Few rows beside four times as many columns: 32 x 512 x 1024 takes 0.7 of the time of multiply-adds, 192 x 1024 x 1024 0.87 of that with panels for all parts.
constexpr std::int64_t least_few_rows = 32, most_few_rows = 192;
// Panels of tiles that a part packs for itself stay in a quarter of L2.
constexpr std::int64_t own_panels_bytes = 512 << 10;
// A block of all planes is half as long as others, or a little more: rows of A and panels of B come from L2 while the sums stay in tiles.
constexpr std::int64_t most_tiled_bytes = 3072, tiled_block_bytes = 768 << 10;
constexpr std::int64_t terms_of_tiles(std::int64_t k, std::int64_t term_bytes) { return up(blocks_of(k, blocks_of(k, most_tiled_bytes / term_bytes)), 64); }

enum KindId { f32_kind = 1, half_kind, pairs_kind, f64_kind, float_tiles_kind, byte_tiles_kind };
constexpr bool is_tiled_kind(int id) { return id == float_tiles_kind || id == byte_tiles_kind; }

template <class F>
auto with_kind(int id, F&& f) {
  switch (id) {
    case half_kind: return f(Half{});
    case pairs_kind: return f(Pairs{});
    case f64_kind: return f(F64{});
#ifdef MPSKIT_HAS_TILES
    case float_tiles_kind: return f(FloatTiles{});
    case byte_tiles_kind: return f(ByteTiles{});
#endif
    default: return f(F32{});
  }
}
int kind_for(DType a, DType b, std::int64_t k) {
  if (b == DType::i8) return k <= exact_pairs ? pairs_kind : f64_kind;
  if (b == DType::i16 || b == DType::f64) return f64_kind;
  return a == DType::f32 || a == DType::f16 ? f32_kind : 0;
}

std::byte* row_of(const GemmResult& c, std::int64_t m) {
  auto* data = static_cast<std::byte*>(c.data);
  if (c.rows_per_group == 0) return data + m * c.row_bytes;
  return data + m / c.rows_per_group * c.group_bytes + m % c.rows_per_group * c.row_bytes;
}
bool same_group(const GemmResult& c, std::int64_t m, std::int64_t rows) {
  return c.rows_per_group == 0 || m / c.rows_per_group == (m + rows - 1) / c.rows_per_group;
}

}  // namespace

// Planes of the factors of a product by tiles, and what there is in B: nothing as long as it is not known.
struct TilePlanes {
  int a = 1, b = 1;
  Magnitudes in_b = {};
};
// What a part by tiles found on the way: in the rows of A that it split, and in the panels of B that it packed itself.
struct TileFinds {
  Magnitudes a, b;
};

bool clamps(const Gemm& g) { return g.low != -std::numeric_limits<float>::infinity() || g.high != std::numeric_limits<float>::infinity(); }

// The end of a tile of sums: bias and clamp, unless the kernel saw to them, and what the caller wants.
void finish_tile(const Gemm& g, const GemmTile& t, bool is_finished) {
  if (!is_finished && (g.bias || clamps(g)))
    for (std::int64_t y = 0; y < t.rows; ++y) {
      float* v = t.values + y * t.stride;
      if (g.bias)
        for (std::int64_t x = 0; x < t.columns; ++x) v[x] += g.bias[t.first_column + x];
      if (clamps(g)) transform(v, t.columns, [&](Floats x) { return minimum(all(g.high), maximum(all(g.low), x)); });
    }
  if (g.finish.apply) g.finish.apply(g.finish.context, t);
}

// Terms [k, k + length) of columns [n, n + columns) of B, panels `panel` elements apart. Several of them side by side, some rows at a time: whole runs
// of a row of B are read together.
template <class Kind, class Found>
void pack_panels(const GemmMatrix& b, std::int64_t k, std::int64_t length, std::int64_t n, std::int64_t columns, int planes, std::int64_t panel, typename Kind::B* dst,
                 [[maybe_unused]] Found& found) {
  constexpr std::int64_t width = panel_width<Kind>, some_terms = is_tiled<Kind> ? Kind::group : 8;
  for (std::int64_t t = 0; t < length; t += some_terms)
    for (std::int64_t j = 0; j < columns; j += width)
      with_stored_type<Kind>(b.dtype, [&](auto s) {
        auto* to = dst + j / width * panel + t * width * planes;
        const std::int64_t some = std::min(some_terms, length - t), count = std::min(width, columns - j);
        if constexpr (is_tiled<Kind>) pack_tiles<Kind, decltype(s)>(b, k + t, some, n + j, count, planes, to, found);
        else pack_panel<Kind, decltype(s)>(b, k + t, some, n + j, count, to);
      });
}

// One part of a product on one thread.
template <class Kind>
struct Part {
  using A = typename Kind::A;
  using B = typename Kind::B;
  using Sum = typename Kind::Sum;
  static constexpr std::int64_t width = panel_width<Kind>;
  static constexpr bool is_float = std::is_same_v<Sum, float>;
  static constexpr std::int64_t kernel_rows = is_tiled<Kind> ? 32 : tile_rows;
  static constexpr std::int64_t tile_elements = std::max<std::int64_t>({kernel_rows * width, two_panel_rows * 2 * width, four_panel_rows * 4 * width});

  const Gemm& g;
  const B* packed;              // panels from `first_column` on, or null
  std::int64_t first_column;
  std::int64_t k, terms;        // of the sum; per block
  std::int64_t row, rows, column, columns;
  std::int64_t first_block = 0, blocks = -1;  // of k, which `packed` holds; all when negative
  TilePlanes planes = {};
  TileFinds* finds = nullptr;
  const PackedB* exact = nullptr;  // weights as floats, for the rows that tiles cannot multiply

  // The float32 result itself collects the sums of several blocks of k; other results need a place for them.
  bool sums_in_c() const { return is_float && g.c.dtype == DType::f32; }
  bool a_in_place() const {
    if (is_tiled<Kind>) return false;
    if (g.a.windows) return is_float;
    // Rows that lie a multiple of 1 KiB apart share a few sets of the caches, not worth reading many times from there, unless there is
    // nothing between them.
    if (!is_float || g.a.write || g.a.matrix.dtype != DType::f32 || g.a.matrix.transposed) return false;
    return columns <= 8 * width || g.a.matrix.row_bytes % 1024 != 0 || g.a.matrix.row_bytes == terms * 4;
  }

  void run() const {
    const std::int64_t all_blocks = std::max<std::int64_t>(1, terms ? blocks_of(k, terms) : 1), end_block = blocks < 0 ? all_blocks : first_block + blocks;
    const std::int64_t packed_k0 = first_block * terms, packed_k = std::min(k, end_block * terms) - packed_k0;
    const bool in_place = k == 0 || a_in_place();
    const bool has_sums = !sums_in_c() && all_blocks > 1;
    constexpr auto a_size = static_cast<std::int64_t>(sizeof(A)), b_size = static_cast<std::int64_t>(sizeof(B));
    const std::int64_t a_stride = in_place ? 0 : is_tiled<Kind> ? up(terms, Kind::group) * planes.a : a_row_bytes(terms, a_size) / a_size;
    // B is read where it lies when few rows use it; else each panel is packed once for all rows of this part.
    const bool dots = is_float && !packed && g.b.transposed && g.m <= dot_rows && k != 0;
    const bool b_in_place = is_float && !is_tiled<Kind> && !packed && !g.b.transposed && sizeof(B) == size_of(g.b.dtype) && rows <= 2 * tile_rows;
    const std::int64_t rest = columns % width, last_registers = rest == 0 ? 0 : rest <= lanes<Sum> ? lanes<Sum> : width;
    const bool ends_in_place = b_in_place && (rest == last_registers || (!has_sums && column + columns >= last_registers));
    const std::int64_t sums_stride = up(columns, width);
    const std::size_t a_bytes = static_cast<std::size_t>((is_tiled<Kind> ? up(rows, 16) : rows) * a_stride) * sizeof(A);
    const std::int64_t panel_elements = up(terms, Kind::group) * width * planes.b;
    const std::int64_t most_own = is_tiled<Kind> && k != 0 ? own_panels_bytes / (panel_elements * b_size) : 1;
    const std::int64_t own_panels = std::clamp<std::int64_t>(most_own, 1, blocks_of(columns, width));
    const std::size_t panel_bytes = packed || dots || k == 0 || ends_in_place ? 0 : static_cast<std::size_t>(own_panels * panel_elements) * sizeof(B);
    const std::size_t sums_bytes = has_sums ? static_cast<std::size_t>(rows * sums_stride) * sizeof(Sum) : 0;
    const Scratch scratch(on_huge_page(a_bytes + panel_bytes + sums_bytes));
    A* a_block = scratch.as<A>();
    B* panel = scratch.as<B>(a_bytes);
    Sum* sums = has_sums ? scratch.as<Sum>(a_bytes + panel_bytes) : nullptr;
    const GemmWindows* const windows = g.a.windows;
    const std::int64_t group = windows && !is_tiled<Kind> ? windows->rows_per_group : rows;  // a tile lies within one
    const std::int64_t tiles = blocks_of(group, kernel_rows), all_tiles = rows / group * tiles;
    [[maybe_unused]] const std::conditional_t<is_tiled<Kind>, TilesInUse, NotTiled> in_use{};
    [[maybe_unused]] std::conditional_t<is_tiled<Kind>, ExactRows, NotTiled> exact_rows;
    [[maybe_unused]] std::conditional_t<is_tiled<Kind>, LaneMagnitudes, NotTiled> in_b;

    for (std::int64_t block = first_block; block < end_block; ++block) {
      const std::int64_t k0 = block * terms, length = std::min(terms, k - k0);
      const bool first = block == 0, last = block + 1 == all_blocks;
      MicroArguments<Kind> m{};
      m.steps = blocks_of(length, Kind::group);
      const std::byte* a = nullptr;
      if constexpr (is_tiled<Kind>) {
        m.a_stride = up(length, Kind::group) * planes.a * a_size;
        m.a_planes = planes.a;
        m.b_planes = planes.b;
        copy_tiles(k0, length, a_block, exact_rows);
        a = reinterpret_cast<const std::byte*>(a_block);
      } else if (k == 0) {
        m.steps = 0;
      } else if (windows) {
        a = reinterpret_cast<const std::byte*>(windows->data) + row / group * windows->group_bytes;
        m.a_stride = windows->row_bytes;
        m.pieces = windows->pieces.data() + k0 / windows->length;
        m.piece_count = length / windows->length;
        m.steps = windows->length;
      } else if (in_place) {
        a = static_cast<const std::byte*>(g.a.matrix.data) + row * g.a.matrix.row_bytes + k0 * a_size;
        m.a_stride = g.a.matrix.row_bytes;
      } else {
        write_a<Kind>(row, rows, k0, length, a_block, a_stride);
        a = reinterpret_cast<const std::byte*>(a_block);
        m.a_stride = a_stride * a_size;
      }
      for (std::int64_t j = 0; j < columns;) {
        Columns c{j, 1, 0, 0};
        const bool whole = is_float && !is_tiled<Kind> && (b_in_place || packed);
        if (whole && rows <= four_panel_rows && columns - j >= 4 * width) c.panels = 4;
        else if (whole && rows <= two_panel_rows && columns - j >= 2 * width) c.panels = 2;
        c.count = std::min(c.panels * width, columns - j);
        const std::int64_t n = column + j, registers_width = c.count <= lanes<Sum> ? lanes<Sum> : c.panels * width;
        Ahead next;  // the panel behind this one: packed, or the rows of B that it will be packed from
        if (packed) {
          const std::int64_t panel_elements = up(packed_k, Kind::group) * width * planes.b;
          m.b = packed + (n - first_column) / width * panel_elements + (k0 - packed_k0) * width * planes.b;
          m.b_step = width * Kind::group;
          m.b_panel = panel_elements;
          // The columns behind this part's are likely to be what this thread is given next.
          if (j + c.count < columns || (c.panels == 1 && g.packed_b && n + c.count < g.n))
            next = {reinterpret_cast<const std::byte*>(m.b + c.panels * panel_elements), m.b_step * b_size, m.b_step * b_size, m.steps * m.piece_count};
          if (is_tiled<Kind> && next.begin) next = {next.begin, 64, 64, m.steps * m.b_step * planes.b * b_size / 64};
        } else if (dots) {
          const Stored<B> b(g.b);
          m.b = b.at(n, k0);
          m.b_step = b.stride;
          c.dots = true;
        } else if (b_in_place && (c.count == registers_width || (!sums && n + c.count >= registers_width))) {
          // The last columns, fewer than a register: the ones before them are multiplied once more and left alone.
          const Stored<B> b(g.b);
          c.skip = registers_width - c.count;
          m.b = b.at(k0, n - c.skip);
          m.b_step = b.stride;
          m.b_panel = width;
        } else if (k != 0) {
          const std::int64_t own = j / width % own_panels;
          if constexpr (is_tiled<Kind>) {
            if (own == 0) pack_panels<Kind>(g.b, k0, length, n, std::min(own_panels * width, columns - j), planes.b, panel_elements, panel, in_b);
          } else {
            with_stored_type<Kind>(g.b.dtype, [&](auto s) { pack_panel<Kind, decltype(s)>(g.b, k0, length, n, c.count, panel); });
          }
          m.b = panel + own * panel_elements;
          m.b_step = width * Kind::group;
          // Rows that lie far apart are not foreseen by the machine itself.
          if (!is_tiled<Kind> && !g.b.transposed && j + 2 * width <= columns) {
            const auto e = static_cast<std::int64_t>(size_of(g.b.dtype));
            next = {static_cast<const std::byte*>(g.b.data) + k0 * g.b.row_bytes + (n + width) * e, g.b.row_bytes, width * e, length};
          }
        }
        const std::int64_t per_tile = blocks_of(next.steps, all_tiles);
        std::int64_t prefetched = 0;
        // A packed panel is one run of memory: the kernel itself asks for it, a little with every four steps.
        m.ahead = next.begin ? next.begin : a;
        m.ahead_step = !packed || per_tile == 0 ? 0 : is_tiled<Kind> ? blocks_of(per_tile, m.steps) * next.stride : next.stride * per_tile * 4 / (m.steps * m.piece_count);
        if constexpr (is_tiled<Kind>) exact_rows.begin_panel(m, [&](float* dst) { exact_panel(k0, length, n, c.count, dst); }, length);
        const bool is_direct = begins_direct(m, c, n, first, last);
        for (std::int64_t begin = 0; begin < rows; begin += group) {
          m.a = a;
          if (windows) m.a += begin / group * windows->group_bytes;
          else m.a += begin * m.a_stride;
          // Tiles of almost equal height: a last one of few rows would be slow.
          for (std::int64_t t = 0, i = begin; t < tiles; ++t) {
            const std::int64_t height = is_tiled<Kind> ? std::min(kernel_rows, rows - i) : group / tiles + (t < group % tiles);
            if constexpr (is_tiled<Kind>) m.exact_rows = exact_rows.at(i);
            if (!packed && prefetched < next.steps) {
              next.prefetch(prefetched, std::min(next.steps, prefetched + per_tile));
              prefetched += per_tile;
            }
            if (is_direct) {
              multiply(m, height, c);
              m.c += height * m.c_stride;
            } else {
              tile(m, i, height, c, sums ? sums + i * sums_stride + j : nullptr, sums_stride, first, last);
            }
            m.a += height * m.a_stride;
            if (packed) m.ahead += per_tile * next.stride;
            i += height;
          }
        }
        j += c.count;
      }
    }
    if constexpr (is_tiled<Kind>)
      if (finds) finds->b = in_b.all();
  }

 private:
  struct Columns {
    std::int64_t begin, panels, count;
    std::int64_t skip;      // columns that the kernel computes before the first of them
    bool dots = false;      // the kernel takes rows of a transposed B
    std::int64_t registers() const { return panels > 1 ? 2 * panels : count <= lanes<Sum> ? 1 : width / lanes<Sum>; }
  };

  // Some rows of A, in the form of a kind.
  template <class As>
  void write_a(std::int64_t first, std::int64_t count, std::int64_t k0, std::int64_t length, typename As::A* dst, std::int64_t stride) const {
    if constexpr (is_float) {
      if (g.a.write) return g.a.write(g.a.context, first, count, k0, length, dst, stride);
    }
    if constexpr (is_float) {
      if (g.a.matrix.dtype == DType::f16) copy_a<As, std::uint16_t>(g.a.matrix, first, count, k0, length, dst, stride);
      else copy_a<As, float>(g.a.matrix, first, count, k0, length, dst, stride);
    } else {
      with_stored_type<As>(g.a.matrix.dtype, [&](auto s) { copy_a<As, decltype(s)>(g.a.matrix, first, count, k0, length, dst, stride); });
    }
  }

#ifdef MPSKIT_HAS_TILES
  // A as tiles. A row of floats that tiles cannot multiply by B as exactly as multiply-adds would be is kept as it is, in one block of k: its own
  // numbers decide, not the rows that happen to lie beside it.
  void copy_tiles(std::int64_t k0, std::int64_t length, A* dst, ExactRows& exact_rows) const {
    if constexpr (!is_float) {
      copy_byte_tiles(g.a.matrix, row, rows, k0, length, dst);
    } else {
      exact_rows.begin_block();
      const bool in_memory = !g.a.windows && !g.a.write && g.a.matrix.dtype == DType::f32 && !g.a.matrix.transposed;
      const std::int64_t written = up(length, lanes<float>);
      const Scratch scratch(in_memory ? 0 : static_cast<std::size_t>(tile_side * written) * sizeof(float));
      const std::int64_t per_row = up(length, Kind::group) * planes.a;
      constexpr std::int64_t rows_ahead = 4;  // a row of a block begins where no machine foresees it
      for (std::int64_t i = 0; i < rows; i += tile_side) {
        const std::int64_t count = std::min(tile_side, rows - i);
        const float* src = scratch.as<float>();
        std::int64_t stride = written;
        if (in_memory) {
          const Stored<float> stored(g.a.matrix);
          src = stored.at(row + i, k0);
          stride = stored.stride;
        } else if (g.a.windows) {
          for (std::int64_t y = 0; y < count; ++y) copy_window(row + i + y, k0, length, scratch.as<float>() + y * written);
        } else {
          write_a<F32>(row + i, count, k0, length, scratch.as<float>(), written);
        }
        for (std::int64_t y = 0; y < tile_side; ++y) {
          A* to = dst + i * per_row + y * Kind::group;
          const float* from = src + y * stride;
          if (in_memory)
            for (std::int64_t j = 0; j < length; j += 16) __builtin_prefetch(from + rows_ahead * stride + j);
          const Magnitudes in_row = y < count && !exact_rows.has(i + y) ? row_magnitudes(from, length) : Magnitudes{0, ~0u};
          if (fits_tiles(in_row, planes.in_b, k)) {
            if (finds) finds->a.add(in_row);
            with_planes(planes.a, [&](auto count_of) { split_row_of_a<count_of>(from, length, to); });
            continue;
          }
          if (y < count) exact_rows.keep(i + y, rows, from, length);
          clear_row(length, planes.a, to);
        }
      }
    }
  }
  void copy_window(std::int64_t m, std::int64_t k0, std::int64_t length, float* dst) const {
    const GemmWindows& w = *g.a.windows;
    const auto* corner = reinterpret_cast<const std::byte*>(w.data) + m / w.rows_per_group * w.group_bytes + m % w.rows_per_group * w.row_bytes;
    for (std::int64_t piece = k0 / w.length, at = k0 % w.length; length > 0; ++piece, at = 0) {
      const std::int64_t some = std::min(length, w.length - at);
      copy_floats(reinterpret_cast<const float*>(corner + w.pieces[static_cast<std::size_t>(piece)]) + at, some, dst);
      dst += some;
      length -= some;
    }
  }
  // A panel of B as float32, [term][width].
  void exact_panel(std::int64_t k0, std::int64_t length, std::int64_t n, std::int64_t count, float* dst) const {
    if constexpr (is_float) {
      if (exact) return exact->kind_ == half_kind ? unpack_weights<Half>(k0, length, n, dst) : unpack_weights<F32>(k0, length, n, dst);
      with_stored_type<F32>(g.b.dtype, [&](auto s) { unpack_panel<decltype(s)>(g.b, k0, length, n, count, dst); });
    }
  }
  template <class Of>
  void unpack_weights(std::int64_t k0, std::int64_t length, std::int64_t n, float* dst) const {
    constexpr std::int64_t narrow = panel_width<Of>;
    for (std::int64_t j = 0; j < width && n + j < exact->n(); j += narrow) {
      const auto* src = static_cast<const typename Of::B*>(exact->block_.get()) + (n + j) / narrow * exact->k() * narrow + k0 * narrow;
      for (std::int64_t t = 0; t < length; ++t) convert(src + t * narrow, narrow, dst + t * width + j);
    }
  }
#endif

  // What is read next, from L3 or from memory, while a panel is used: each tile asks for its share.
  struct Ahead {
    const std::byte* begin = nullptr;
    std::int64_t stride = 0, bytes = 0, steps = 0;  // pieces of so many bytes
    void prefetch(std::int64_t step, std::int64_t end) const {
      for (; step < end; ++step) {
        const std::byte* p = begin + step * stride;
        for (std::int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 2);
        if (stride != bytes) __builtin_prefetch(p + bytes - 1, 0, 2);
      }
    }
  };

  static void multiply(const MicroArguments<Kind>& m, std::int64_t height, const Columns& c) {
    if constexpr (is_tiled<Kind>) {
      multiply_tiles<Kind>(m, height, static_cast<int>(c.registers()));
    } else {
      if constexpr (is_float) {
        if (c.dots) return dot_products<Kind>(m, height, c.count);
        if (c.panels == 4) return run_rows(four_panel_kernels<Kind>, m, height);
        if (c.panels == 2) return run_rows(two_panel_kernels<Kind>, m, height);
      }
      if (c.registers() == 1) return run_rows(narrow_kernels<Kind>, m, height);
      if constexpr (std::is_same_v<Kind, Pairs> && isa_may_have_vnni)
        if (machine_has_vnni()) return run_rows(panel_kernels<Pairs, VnniPairs>, m, height);
      run_rows(panel_kernels<Kind>, m, height);
    }
  }

  // True, and the arguments set for the first tile, where registers go to C as they are and nothing follows: most tiles of a large product.
  bool begins_direct(MicroArguments<Kind>& m, const Columns& c, std::int64_t n, bool first, bool last) const {
    if constexpr (is_float) {
      if (!sums_in_c() || c.dots || c.count != c.registers() * lanes<Sum> || g.c.rows_per_group != 0 || (last && g.finish.apply)) return false;
      m.alpha = static_cast<float>(g.alpha);
      m.beta = first ? static_cast<float>(g.beta) : 1;
      m.continues = !first && m.alpha == 1;
      m.bias = nullptr;
      if (last && (g.bias || clamps(g)) && !finishes_in_registers(m, c, n)) return false;
      m.c = reinterpret_cast<float*>(row_of(g.c, row)) + n;
      m.c_stride = g.c.row_bytes / static_cast<std::int64_t>(sizeof(float));
      return true;
    }
    return false;
  }

  // Rows [i, i + height) and some columns of this part: one block of k.
  void tile(MicroArguments<Kind>& m, std::int64_t i, std::int64_t height, const Columns& c, Sum* sums, std::int64_t sums_stride,
            bool first, bool last) const {
    const std::int64_t r = row + i, n = column + c.begin, some = c.count;
    const std::int64_t computed = c.registers() * lanes<Sum>;
    const bool is_full = c.dots || some == computed;
    alignas(64) Sum buffer[tile_elements];
    if constexpr (is_float) {
      if (sums_in_c()) {
        m.alpha = static_cast<float>(g.alpha);
        m.beta = first ? static_cast<float>(g.beta) : 1;
        m.continues = !first && m.alpha == 1;
        const bool is_finished = last && finishes_in_registers(m, c, n);
        if (is_full && same_group(g.c, r, height)) {
          m.c = reinterpret_cast<float*>(row_of(g.c, r)) + n;
          m.c_stride = g.c.row_bytes / static_cast<std::int64_t>(sizeof(float));
          multiply(m, height, c);
          if (last) finish(m.c, m.c_stride, r, height, n, some, is_finished);
          return;
        }
        m.c = buffer;
        m.c_stride = computed;
        const std::size_t bytes = static_cast<std::size_t>(some) * sizeof(float);
        if (m.beta != 0)
          for (std::int64_t y = 0; y < height; ++y) {
            float* t = buffer + y * m.c_stride;
            std::fill(t, t + computed, 0.0f);
            std::memcpy(t + c.skip, reinterpret_cast<float*>(row_of(g.c, r + y)) + n, bytes);
          }
        multiply(m, height, c);
        if (last) finish(buffer + c.skip, m.c_stride, r, height, n, some, is_finished);
        for (std::int64_t y = 0; y < height; ++y) std::memcpy(reinterpret_cast<float*>(row_of(g.c, r + y)) + n, buffer + y * m.c_stride + c.skip, bytes);
        return;
      }
    }
    m.alpha = 1;
    m.beta = first ? 0 : 1;
    m.continues = !first;
    m.c = sums ? sums : buffer;
    m.c_stride = sums ? sums_stride : computed;
    const bool is_finished = last && g.alpha == 1 && g.beta == 0 && finishes_in_registers(m, c, n);
    multiply(m, height, c);
    if (!last) return;
    if constexpr (std::is_same_v<Kind, F64>) {
      if (g.c.dtype == DType::f64) return finish_doubles(m, r, height, n, some);
    }
    const std::int64_t e = static_cast<std::int64_t>(size_of(g.c.dtype));
    if constexpr (std::is_same_v<Sum, std::int32_t>) {
      // Nothing but a conversion: it rounds as one by way of float64 would.
      if (g.c.dtype == DType::f32 && g.alpha == 1 && g.beta == 0 && !g.bias && !clamps(g) && !g.finish.apply) {
        for (std::int64_t y = 0; y < height; ++y) {
          const Sum* s = m.c + y * m.c_stride;
          auto* v = reinterpret_cast<float*>(row_of(g.c, r + y)) + n;
          std::int64_t x = 0;
          for (; x + lanes<Sum> <= some; x += lanes<Sum>) store(v + x, __builtin_convertvector(load<Vec<Sum>>(s + x), Vec<float>));
          for (; x < some; ++x) v[x] = static_cast<float>(s[x]);
        }
        return;
      }
    }
    // Rounded once, from the whole sum. Integers take their last steps in float64.
    using Wide = std::conditional_t<is_float, float, double>;
    float values[tile_elements];
    const Wide alpha = static_cast<Wide>(g.alpha), beta = static_cast<Wide>(g.beta);
    for (std::int64_t y = 0; y < height; ++y) {
      const Sum* s = m.c + y * m.c_stride + c.skip;
      float* v = values + y * some;
      if (beta != 0) {
        load_floats(g.c.dtype, row_of(g.c, r + y) + n * e, some, v);
        for (std::int64_t x = 0; x < some; ++x) v[x] = static_cast<float>(alpha * static_cast<Wide>(s[x]) + beta * static_cast<Wide>(v[x]));
      } else {
        for (std::int64_t x = 0; x < some; ++x) v[x] = static_cast<float>(alpha * static_cast<Wide>(s[x]));
      }
    }
    finish(values, some, r, height, n, some, is_finished);
    for (std::int64_t y = 0; y < height; ++y) store_floats(g.c.dtype, values + y * some, some, row_of(g.c, r + y) + n * e);
  }

  void finish_doubles(const MicroArguments<Kind>& m, std::int64_t r, std::int64_t height, std::int64_t n, std::int64_t some) const {
    for (std::int64_t y = 0; y < height; ++y) {
      const double* s = m.c + y * m.c_stride;
      auto* c = reinterpret_cast<double*>(row_of(g.c, r + y)) + n;
      if (g.beta != 0)
        for (std::int64_t x = 0; x < some; ++x) c[x] = g.alpha * s[x] + g.beta * c[x];
      else
        for (std::int64_t x = 0; x < some; ++x) c[x] = g.alpha * s[x];
    }
  }

  // True when the kernel is told to add the bias and to clamp.
  bool finishes_in_registers(MicroArguments<Kind>& m, const Columns& c, std::int64_t n) const {
    m.bias = nullptr;
    if constexpr (is_float) {
      if (!g.bias || c.dots || c.skip != 0 || c.count != c.registers() * lanes<Sum>) return false;
      m.bias = g.bias + n;
      m.low = g.low;
      m.high = g.high;
      return true;
    }
    return false;
  }

  void finish(float* values, std::int64_t stride, std::int64_t r, std::int64_t height, std::int64_t n, std::int64_t some, bool is_finished) const {
    finish_tile(g, {values, stride, height, some, r, n}, is_finished);
  }
};

struct GemmDriver {
  const Gemm& g;
  int kind;
  std::int64_t k, terms;

  TilePlanes planes = {};

  explicit GemmDriver(const Gemm& problem) : g(problem) {
    k = g.alpha == 0 ? 0 : g.k;
    terms = terms_per_block(k);
#ifdef MPSKIT_HAS_TILES
    if (g.packed_b && g.packed_b->tiles_ && k > 0 && uses_tiles() && (g.all_rows ? g.all_rows : g.m) >= least_tiled_rows) {
      const PackedB& b = *g.packed_b;
      planes = {planes_of_a(), b.planes_, {b.least_, b.most_}};
      kind = float_tiles_kind;
      terms = terms_of_tiles(k, 2 * std::max(planes.a, planes.b));
      return;
    }
#endif
    if (g.a.windows) terms = std::max<std::int64_t>(1, most_terms / g.a.windows->length) * g.a.windows->length;  // whole pieces
    // One or a few rows stream B from memory: a few of its rows side by side, each from end to end.
    if (!g.packed_b && !g.b.transposed && g.m <= four_panel_rows) terms = std::min(terms, few_rows_terms);
    kind = g.packed_b ? g.packed_b->kind_ : kind_for(g.a.write ? DType::f32 : g.a.matrix.dtype, g.b.dtype, g.k);
    // float16 is multiplied where it lies when too few rows would use a converted copy.
    if (!g.packed_b && g.b.dtype == DType::f16 && g.m <= (g.b.transposed ? dot_rows : 2 * tile_rows)) kind = half_kind;
  }

#ifdef MPSKIT_HAS_TILES
  int planes_of_a() const { return g.allows_reduced && !g.packed_b ? 1 : !g.a.write && !g.a.windows && g.a.matrix.dtype == DType::f16 ? 2 : 3; }

  // Matrices in memory: tiles when they pay for their planes, and hold all of B as exactly.
  bool is_worth_tiles() const {
    if (!uses_tiles() || g.packed_b || k < least_tiled_terms) return false;
    const double m = static_cast<double>(g.m), n = static_cast<double>(g.n);
    if (kind == pairs_kind) return g.m >= least_tiled_bytes && g.n >= least_tiled_bytes;
    return (kind == f32_kind || kind == half_kind) && (m * n >= least_tiled_side / 2.0 * (m + n) || (has_few_rows() && g.m >= least_few_rows));
  }
  // Planes of B are known, and whether they hold all of it, when it is packed.
  void choose_tiles() {
    kind = kind == pairs_kind ? byte_tiles_kind : float_tiles_kind;
    if (kind == float_tiles_kind) planes = {planes_of_a(), g.allows_reduced ? 1 : g.b.dtype == DType::f16 ? 2 : 3};
    terms = terms_of_tiles(k, kind == byte_tiles_kind ? 1 : 2 * std::max(planes.a, planes.b));
  }
  // The tiles of weights beside their floats.
  static void add_tiles(PackedB& packed, const GemmMatrix& b) {
    if (!uses_tiles() || packed.k_ < least_tiled_terms || packed.n_ < least_tiled_columns) return;
    const PackedB tiles = pack(float_tiles_kind, b, packed.k_, 0, packed.n_, false, b.dtype == DType::f16 ? 2 : 3);
    if (!fits_planes({tiles.least_, tiles.most_})) return;
    packed.planes_ = tiles.planes_;
    packed.least_ = tiles.least_;
    packed.most_ = tiles.most_;
    packed.tiles_ = tiles.block_;
  }
#else
  bool is_worth_tiles() const { return false; }
  void choose_tiles() const {}
#endif
  static Magnitudes magnitudes_of(const GemmMatrix& b, std::int64_t k, std::int64_t n) {
    const std::int64_t rows = b.transposed ? n : k, columns = b.transposed ? k : n, grain = std::max<std::int64_t>(1, 65536 / columns);
    std::vector<Magnitudes> found(static_cast<std::size_t>(blocks_of(rows, grain)));
    parallel(blocks_of(rows, grain), [&](std::int64_t task) {
      Magnitudes& m = found[static_cast<std::size_t>(task)];
      with_stored_type<F32>(b.dtype, [&](auto s) {
        const Stored<decltype(s)> stored(b);
        for (std::int64_t r = task * grain; r < std::min(rows, (task + 1) * grain); ++r) m.add(row_magnitudes(stored.at(r, 0), columns));
      });
    });
    return sum_of(found);
  }
  // By tiles, few rows of A beside many columns of B: each part packs panels of B for itself, a few at a time.
  bool has_few_rows() const { return !g.packed_b && g.beta == 0 && !g.allows_reduced && g.b.dtype != DType::i8 && g.m <= most_few_rows && 4 * g.m <= g.n; }
  // Tiles of B that one thread packs and others read go from core to core. Where few rows use them it is quicker that each thread packs and
  // uses its own columns, and splits all of A for itself: 0.78 to 0.9 of the time (Sapphire Rapids, 2 cores).
  bool is_better_apart(std::int64_t threads) const {
    const bool is_split = planes.a > 1;
    const std::int64_t a_bytes = static_cast<std::int64_t>(size_of(g.a.matrix.dtype)), b_bytes = kind == byte_tiles_kind ? 1 : 2 * planes.b;
    return g.m <= (is_split ? 768 : 512) && threads * g.m * a_bytes <= (is_split ? 3 * g.n * b_bytes / 2 : 2 * g.n * b_bytes);
  }
  // False when tiles of floats cannot multiply what is in B as exactly as multiply-adds.
  bool holds(const Magnitudes& b) {
    planes.in_b = b;
    return kind != float_tiles_kind || fits_planes(b);
  }

  struct Blocks {
    std::int64_t first, count;
  };
  static constexpr Blocks all_blocks{0, -1};
  void part(const PackedB* packed, std::int64_t first_column, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Blocks blocks,
            TileFinds* finds = nullptr) const {
    with_kind(kind, [&](auto id) {
      using Kind = decltype(id);
      const auto* panels = packed ? static_cast<const typename Kind::B*>((is_tiled<Kind> && packed->tiles_ ? packed->tiles_ : packed->block_).get()) : nullptr;
      Part<Kind>{g, panels, first_column, k, terms, row, rows, column, columns, blocks.first, blocks.count, planes, finds, g.packed_b}.run();
    });
  }

  void run() {
    if (is_worth_tiles()) {
      GemmDriver tiled(*this);
      tiled.choose_tiles();
      if (tiled.multiply()) return;
    }
    multiply();
  }

  // False, and C untouched, when tiles do not hold B.
  bool multiply() {
    const std::int64_t m = g.m, n = g.n;
    const std::int64_t width = with_kind(kind, [](auto id) { return panel_width<decltype(id)>; });
    const std::int64_t tile_rows = with_kind(kind, [](auto id) { return Part<decltype(id)>::kernel_rows; });
    const std::int64_t a_size = kind == f64_kind ? 8 : kind == pairs_kind ? 2 : kind == byte_tiles_kind ? 1 : kind == float_tiles_kind ? 2 * planes.a : 4;
    // Parts: as many rows as L2 holds of A, and enough parts for all threads. Rows first while there are many: a part packs
    // its panels of B for its own rows.
    const std::int64_t rows_of_l2 = is_tiled_kind(kind) ? tiled_block_bytes / (terms * a_size) : block_bytes / a_row_bytes(terms, a_size);
    const std::int64_t most_rows = std::max<std::int64_t>(tile_rows, rows_of_l2 / tile_rows * tile_rows);
    std::int64_t down = blocks_of(m, most_rows), across = 1;
    // A part is worth waking a thread for 2 million operations, or for 256 KiB of B when few rows use it; by tiles that all share for six times
    // that, and each part that spans other columns splits its rows of A again.
    const bool is_tiled = is_tiled_kind(kind);
    const double elements = static_cast<double>(n) * static_cast<double>(std::max<std::int64_t>(k, 1));
    const double pieces = elements * (is_tiled && !has_few_rows() ? static_cast<double>(m) / 6e6 : std::max(static_cast<double>(m) / 1e6, 1 / 65536.0));
    const std::int64_t threads = threads_here();
    const std::int64_t most = m <= four_panel_rows ? threads : (is_tiled ? 2 : 4) * threads;
    const std::int64_t wanted = threads == 1 ? 1 : static_cast<std::int64_t>(std::min(static_cast<double>(most), pieces));
    // Rows that are copied are copied once for each part that spans their columns; panels of B are shared.
    const bool copies_a = g.a.write || g.a.matrix.transposed || g.a.matrix.dtype != DType::f32 || is_tiled;
    while (down * across < wanted) {
      const std::int64_t high = m / down, wide = n / across;
      const bool can_halve_rows = high >= 2 * tile_rows, can_halve_columns = wide >= 2 * width;
      if (can_halve_columns && (!can_halve_rows || (wide >= high && !(copies_a && high >= 8 * tile_rows)))) across *= 2;
      else if (can_halve_rows) down *= 2;
      else break;
    }
    // Few bytes of A stay in L2 while all of B passes by: each part packs the panels of its own columns, and nobody waits for a whole B.
    if (kind == f32_kind && !g.packed_b && wanted > 1 && m * a_row_bytes(terms, a_size) <= small_a_bytes && n >= 2 * threads * width) {
      down = 1;
      across = 2 * threads;
    }
    // Whole tiles, and as many parts for each thread.
    const std::int64_t tiles = blocks_of(m, tile_rows);
    if (wanted > 1 && down > 1) down = std::min(tiles, up(down, threads));
    auto columns = [&](const PackedB* packed, std::int64_t begin, std::int64_t end, Blocks some) {
      const std::int64_t panels = blocks_of(end - begin, width), wide = std::min(across, panels);
      parallel(down * wide, [&](std::int64_t task) {
        const std::int64_t d = task % down, a = task / down;
        const std::int64_t row = d * tiles / down * tile_rows, column = begin + a * panels / wide * width;
        part(packed, begin, row, std::min(m, (d + 1) * tiles / down * tile_rows) - row, column, std::min(end, begin + (a + 1) * panels / wide * width) - column, some);
      });
    };
    // Several parts would pack the same panels again. Where C collects the sums, a block of k passes all rows before the next one
    // does: its panels come from L3 then, not from memory. A part by tiles takes all blocks: it splits its rows of A for each group of columns.
    if (g.packed_b || k == 0 || (down == 1 && !is_tiled)) {
      columns(g.packed_b, 0, n, all_blocks);
      return true;
    }
    const bool by_block = g.c.dtype == DType::f32 && (kind == f32_kind || kind == half_kind);
    const std::int64_t blocks = blocks_of(k, terms), together = by_block ? 1 : blocks;
    const std::int64_t term_bytes = kind == byte_tiles_kind ? 1 : is_tiled ? 2 * planes.b : 4;
    const std::int64_t at_once = std::max<std::int64_t>(8, (is_tiled ? packed_tiles_bytes : packed_bytes) / (std::min(k, together * terms) * width * term_bytes)) * width;
    const bool is_at_once = at_once >= n;
    const std::int64_t panels = blocks_of(n, width), own = std::clamp<std::int64_t>(wanted, 1, std::min(threads, panels));
    // Few rows: a panel of B is used while it is in L2, and never written to memory. What is in B is known afterwards: as C is not read, it can be
    // multiplied once more in the rare case that not all of A and B went well together.
    if (is_tiled && has_few_rows()) {
      std::vector<TileFinds> finds(static_cast<std::size_t>(own));
      parallel(own, [&](std::int64_t i) {
        const std::int64_t first = i * panels / own * width, last = std::min(n, (i + 1) * panels / own * width);
        part(nullptr, 0, 0, m, first, last - first, all_blocks, &finds[static_cast<std::size_t>(i)]);
      });
      TileFinds all;
      for (const TileFinds& f : finds) all.a.add(f.a), all.b.add(f.b);
      if (!fits_planes(all.b)) return false;
      if (fits_tiles(all.a, all.b, k)) return true;
    }
    if (is_tiled && is_at_once && own > 1 && is_better_apart(own)) {
      const PackedB packed = room_for_b(kind, k, n, true, planes.b);
      std::vector<Magnitudes> found(static_cast<std::size_t>(own));
      down = blocks_of(m, most_rows);
      parallel_steps(2, own, [&](std::int64_t step, std::int64_t i) {
        const std::int64_t first = i * panels / own, last = (i + 1) * panels / own;
        if (step == 0) {
          found[static_cast<std::size_t>(i)] = fill_panels(packed, g.b, 0, first, last);
          return;
        }
        GemmDriver known(*this);
        if (!known.holds(sum_of(found))) return;
        for (std::int64_t d = 0; d < down; ++d) {
          const std::int64_t row = d * tiles / down * tile_rows, rows = std::min(m, (d + 1) * tiles / down * tile_rows) - row;
          known.part(&packed, 0, row, rows, first * width, std::min(n, last * width) - first * width, all_blocks);
        }
      });
      return holds(sum_of(found));
    }
    if (kind == float_tiles_kind && !is_at_once && !holds(magnitudes_of(g.b, k, n))) return false;
    for (std::int64_t begin = 0; begin < n; begin += at_once) {
      const std::int64_t end = std::min(n, begin + at_once);
      for (std::int64_t block = 0; block < blocks; block += together) {
        GemmMatrix b = g.b;
        const std::int64_t k0 = block * terms, length = std::min(k - k0, together * terms);
        b.data = static_cast<const std::byte*>(b.data) + k0 * (b.transposed ? static_cast<std::int64_t>(size_of(b.dtype)) : b.row_bytes);
        const PackedB packed = pack(kind, b, length, begin, end, true, planes.b);
        if (is_tiled && is_at_once && !holds({packed.least_, packed.most_})) return false;
        columns(&packed, begin, end, {block, together});
      }
    }
    return true;
  }

  // Place for n columns. Brief: for one product. Weights stay, and take no more than their bytes.
  static PackedB room_for_b(int kind, std::int64_t k, std::int64_t n, bool is_brief, int planes) {
    PackedB out;
    out.k_ = k;
    out.n_ = n;
    out.kind_ = kind;
    out.planes_ = planes;
    with_kind(kind, [&](auto id) {
      using Kind = decltype(id);
      const std::int64_t terms = up(k, Kind::group) * planes, columns = up(n, panel_width<Kind>);
      const std::size_t bytes = static_cast<std::size_t>(std::max<std::int64_t>(1, terms * columns)) * sizeof(typename Kind::B);
      out.block_ = pool::take(is_brief ? on_huge_page(bytes) : bytes);
    });
    return out;
  }
  // Panels [first, last), which begin at column `begin` of B. Returns what tiles of floats have to know of the numbers.
  static Magnitudes fill_panels(const PackedB& out, const GemmMatrix& b, std::int64_t begin, std::int64_t first, std::int64_t last) {
    Magnitudes found;
    with_kind(out.kind_, [&](auto id) {
      using Kind = decltype(id);
      constexpr std::int64_t width = panel_width<Kind>;
      const std::int64_t panel = up(out.k_, Kind::group) * width * out.planes_;
      std::conditional_t<is_tiled<Kind>, LaneMagnitudes, NotTiled> lanes_found;
      pack_panels<Kind>(b, 0, out.k_, begin + first * width, std::min(out.n_, last * width) - first * width, out.planes_, panel,
                        static_cast<typename Kind::B*>(out.block_.get()) + first * panel, lanes_found);
      if constexpr (is_tiled<Kind>) found = lanes_found.all();
    });
    return found;
  }
  static PackedB pack(int kind, const GemmMatrix& b, std::int64_t k, std::int64_t begin, std::int64_t end, bool is_brief = false, int planes = 1) {
    PackedB out = room_for_b(kind, k, end - begin, is_brief, planes);
    const std::int64_t panels = blocks_of(out.n_, with_kind(kind, [](auto id) { return panel_width<decltype(id)>; }));
    const std::int64_t group = std::clamp<std::int64_t>(panels / (2 * num_threads()), 1, 16);
    std::vector<Magnitudes> found(static_cast<std::size_t>(blocks_of(panels, group)));
    parallel(blocks_of(panels, group), [&](std::int64_t task) {
      found[static_cast<std::size_t>(task)] = fill_panels(out, b, begin, task * group, std::min(panels, (task + 1) * group));
    });
    const Magnitudes all = sum_of(found);
    out.least_ = all.least;
    out.most_ = all.most;
    return out;
  }
};

void copy_runs(const void* const* pointers, DType dtype, std::int64_t run_length, std::int64_t first_k, std::int64_t length, float* dst) {
  const auto e = static_cast<std::int64_t>(size_of(dtype));
  std::int64_t run = first_k / run_length, at = first_k % run_length;
  while (length > 0) {
    const auto* src = static_cast<const std::byte*>(pointers[run]) + at * e;
    // Taps beside each other are often one piece of memory: the pixels of a row of the window.
    std::int64_t some = run_length - at;
    const auto* end = src + some * e;
    for (++run; some < length && pointers[run] == end; ++run) {
      some += run_length;
      end += run_length * e;
    }
    some = std::min(some, length);
    if (dtype == DType::f32) copy_floats(reinterpret_cast<const float*>(src), some, dst);
    else load_floats(dtype, src, some, dst);
    dst += some;
    length -= some;
    at = 0;
  }
}

PackedB pack_b(const GemmMatrix& b, std::int64_t k, std::int64_t n, [[maybe_unused]] bool may_have_tiles) {
  const int kind = b.dtype == DType::f16 && isa_converts_half ? half_kind : kind_for(b.dtype, b.dtype, k);
  PackedB out = GemmDriver::pack(kind, b, k, 0, n);
#ifdef MPSKIT_HAS_TILES
  if (may_have_tiles && (kind == f32_kind || kind == half_kind)) GemmDriver::add_tiles(out, b);
#endif
  return out;
}

namespace {

// One row of A: B streams from memory by whole rows. Tiles of C would read a piece of every row, and half as fast.
class RowProduct {
 public:
  static bool fits(const Gemm& g) {
    auto is_float = [](DType t) { return t == DType::f32 || t == DType::f16; };
    return g.m == 1 && g.n >= 4 * panel_columns && !g.packed_b && !g.b.transposed && !g.a.write && !g.a.windows && is_float(g.a.matrix.dtype) && is_float(g.b.dtype);
  }
  explicit RowProduct(const Gemm& g) : g_(g), k_(g.alpha == 0 ? 0 : g.k) {}
  void run() const {
    if (g_.b.dtype == DType::f16) multiply<std::uint16_t>();
    else multiply<float>();
  }

 private:
  static constexpr std::int64_t piece = 1024;

  template <class T>
  void multiply() const {
    const Scratch scratch(static_cast<std::size_t>(g_.n + k_) * sizeof(float));
    auto *sums = scratch.as<float>(), *x = sums + g_.n;
    const GemmMatrix& a = g_.a.matrix;
    const bool is_read_in_place = a.dtype == DType::f32 && !a.transposed;
    if (!is_read_in_place) with_stored_type<F32>(a.dtype, [&](auto s) { copy_a<F32, decltype(s)>(a, 0, 1, 0, k_, x, k_); });
    multiply_row(static_cast<const T*>(g_.b.data), g_.b.row_bytes / static_cast<std::ptrdiff_t>(sizeof(T)), k_, g_.n,
                 is_read_in_place ? static_cast<const float*>(a.data) : x, sums);
    for (std::int64_t j = 0; j < g_.n; j += piece) finish(sums + j, j, std::min(piece, g_.n - j));
  }
  void finish(float* sums, std::int64_t j, std::int64_t some) const {
    auto* c = static_cast<std::byte*>(g_.c.data) + j * static_cast<std::int64_t>(size_of(g_.c.dtype));
    const auto alpha = static_cast<float>(g_.alpha), beta = static_cast<float>(g_.beta);
    for (std::int64_t i = 0; i < some; ++i) sums[i] *= alpha;
    if (beta != 0) {
      float given[piece];
      load_floats(g_.c.dtype, c, some, given);
      for (std::int64_t i = 0; i < some; ++i) sums[i] += beta * given[i];
    }
    finish_tile(g_, {sums, some, 1, some, 0, j}, false);
    store_floats(g_.c.dtype, sums, some, c);
  }

  const Gemm& g_;
  std::int64_t k_;
};

}  // namespace

void gemm(const Gemm& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (RowProduct::fits(g)) RowProduct(g).run();
  else GemmDriver(g).run();
}

void gemm_part(const Gemm& g, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
  if (rows > 0 && columns > 0) GemmDriver(g).part(g.packed_b, 0, row, rows, column, columns, GemmDriver::all_blocks);
}

namespace {

// Products of a batch so small that to decide how to divide one would take as long as to multiply it: float32 factors from where they
// lie, B too. The same terms in the same order as any other way.
class SmallProduct {
 public:
  static constexpr std::int64_t most_small_rows = (MPSKIT_VECTOR_BYTES == 64 ? 5 : 4) * tile_rows;
  static bool fits(const Gemm& g) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    const bool is_plain = !g.packed_b && !g.a.write && !g.a.windows && !g.a.matrix.transposed && !g.b.transposed && g.a.matrix.dtype == DType::f32 &&
                          g.b.dtype == DType::f32 && g.c.dtype == DType::f32 && g.c.rows_per_group == 0 && !g.bias && !g.finish.apply &&
                          g.low == -infinite && g.high == infinite && g.alpha != 0;
    // B stays in half of L1. Where the last columns do not fill a register, those before them are multiplied once more.
    return is_plain && g.m > four_panel_rows && g.m <= most_small_rows && g.k > 0 && g.k <= most_terms && g.k * g.n <= 4096 && g.n >= lanes<float> &&
           (g.n % lanes<float> == 0 || g.beta == 0);
  }
  explicit SmallProduct(const Gemm& g) : g_(g), tiles_(blocks_of(g.m, tile_rows)) {
    m_.a_stride = g.a.matrix.row_bytes;
    m_.b_step = g.b.row_bytes / static_cast<std::int64_t>(sizeof(float));
    m_.steps = g.k;
    m_.c_stride = g.c.row_bytes / static_cast<std::int64_t>(sizeof(float));
    m_.alpha = static_cast<float>(g.alpha);
    m_.beta = static_cast<float>(g.beta);
    const std::int64_t row_bytes = g.k * static_cast<std::int64_t>(sizeof(float));
    if (g.a.matrix.row_bytes <= row_bytes + 64) ahead_in_a_ = up(blocks_of(g.m * g.a.matrix.row_bytes, tiles_ * blocks_of(g.n, 2 * lanes<float>)), 64);
  }
  // `ahead`: B of the product after this one; `next_a`: its A, of which each tile asks for a share.
  void run(const void* a, const void* b, void* c, const void* ahead, const std::byte* next_a) {
    m_.ahead = static_cast<const std::byte*>(ahead);
    m_.ahead_step = 64;
    constexpr std::int64_t narrow = lanes<float>, wide = 2 * narrow;
    for (std::int64_t j = 0; j < g_.n;) {
      const bool is_wide = g_.n >= wide && g_.n - j > narrow;
      const std::int64_t columns = is_wide ? wide : narrow, begin = std::min(j, g_.n - columns);
      m_.a = static_cast<const std::byte*>(a);
      m_.b = static_cast<const float*>(b) + begin;
      m_.c = static_cast<float*>(c) + begin;
      for (std::int64_t t = 0; t < tiles_; ++t) {
        const std::int64_t height = g_.m / tiles_ + (t < g_.m % tiles_);
        for (std::int64_t i = 0; i < ahead_in_a_; i += 64, next_a += 64) __builtin_prefetch(next_a, 0, 2);
        run_rows(is_wide ? panel_kernels<F32> : narrow_kernels<F32>, m_, height);
        m_.a += height * m_.a_stride;
        m_.c += height * m_.c_stride;
        m_.ahead += m_.steps / 4 * m_.ahead_step;
      }
      j += columns;
    }
  }

 private:
  const Gemm& g_;
  std::int64_t tiles_, ahead_in_a_ = 0;
  MicroArguments<F32> m_{};
};

}  // namespace

void gemm_batch(const Gemm& g, std::int64_t count, const GemmSteps& step) {
  auto product = [&](std::int64_t i) {
    Gemm one = g;
    one.a.matrix.data = static_cast<const std::byte*>(g.a.matrix.data) + i * step.a_bytes;
    one.b.data = static_cast<const std::byte*>(g.b.data) + i * step.b_bytes;
    one.c.data = static_cast<std::byte*>(g.c.data) + i * step.c_bytes;
    return one;
  };
  if (g.m <= 0 || g.n <= 0) return;
  const double work = 2.0 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(std::max<std::int64_t>(g.k, 1));
  if (count < num_threads() || work > 1e9) {  // each is worth all threads
    for (std::int64_t i = 0; i < count; ++i) gemm(product(i));
    return;
  }
  const bool is_small = SmallProduct::fits(g), is_row = RowProduct::fits(g);
  parallel_for(count, std::max<std::int64_t>(1, static_cast<std::int64_t>(2e6 / work)), [&](std::int64_t begin, std::int64_t end) {
    if (is_small) {
      SmallProduct small(g);
      for (std::int64_t i = begin; i < end; ++i) {
        const Gemm one = product(i);
        const auto *next_a = static_cast<const std::byte*>(one.a.matrix.data) + step.a_bytes, *next_b = static_cast<const std::byte*>(one.b.data) + step.b_bytes;
        small.run(one.a.matrix.data, one.b.data, one.c.data, next_b, next_a);
      }
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      const Gemm one = product(i);
      if (is_row) {
        RowProduct(one).run();
        continue;
      }
      GemmDriver driver(one);
      if (driver.is_worth_tiles()) driver.run();
      else driver.part(g.packed_b, 0, 0, g.m, 0, g.n, GemmDriver::all_blocks);
    }
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
