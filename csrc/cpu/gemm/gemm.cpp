#include "cpu/gemm/gemm.hpp"

#include "cpu/gemm/register.inl"
#include "cpu/gemm/micro_kernel.inl"
#include "cpu/gemm/pack.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }
constexpr std::int64_t blocks_of(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit; }

// Terms of k that one pass over a block of C adds. Fixed, so that sums do not depend on anything but K.
constexpr std::int64_t most_terms = 512;
std::int64_t terms_per_block(std::int64_t k) { return k <= most_terms ? k : up(blocks_of(k, blocks_of(k, most_terms)), 4); }
// A block of A stays in half of a 1 MiB L2.
constexpr std::int64_t block_bytes = 512 << 10;
constexpr std::int64_t exact_pairs = 131071;  // terms of int8 products that int32 holds: (2^31 - 1) / 2^14

enum KindId { f32_kind = 1, half_kind, pairs_kind, f64_kind };

template <class F>
auto with_kind(int id, F&& f) {
  switch (id) {
    case half_kind: return f(Half{});
    case pairs_kind: return f(Pairs{});
    case f64_kind: return f(F64{});
    default: return f(F32{});
  }
}
int kind_for(DType a, DType b, std::int64_t k) {
  if (b == DType::i8) return k <= exact_pairs ? pairs_kind : f64_kind;
  if (b == DType::i16) return f64_kind;
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

// One part of a product on one thread.
template <class Kind>
struct Part {
  using A = typename Kind::A;
  using B = typename Kind::B;
  using Sum = typename Kind::Sum;
  static constexpr std::int64_t width = panel_width<Kind>;
  static constexpr bool is_float = std::is_same_v<Sum, float>;
  static constexpr std::int64_t tile_elements = std::max<std::int64_t>({tile_rows * width, two_panel_rows * 2 * width, four_panel_rows * 4 * width});

  const Gemm& g;
  const B* packed;            // all panels, or null
  std::int64_t k, terms;      // of the sum; per block
  std::int64_t row, rows, column, columns;

  // The float32 result itself collects the sums of several blocks of k; other results need a place for them.
  bool sums_in_c() const { return is_float && g.c.dtype == DType::f32; }
  bool a_in_place() const {
    // Rows that lie a multiple of 1 KiB apart share a few sets of the caches: not worth reading many times from there.
    return is_float && !g.a.write && g.a.matrix.dtype == DType::f32 && !g.a.matrix.transposed && (columns <= 8 * width || g.a.matrix.row_bytes % 1024 != 0);
  }

  void run() const {
    const std::int64_t blocks = std::max<std::int64_t>(1, terms ? blocks_of(k, terms) : 1);
    const bool in_place = k == 0 || a_in_place();
    const bool has_sums = !sums_in_c() && blocks > 1;
    // Rows of the copy lie an odd number of lines apart: all sets of the caches are used.
    const std::int64_t a_stride = in_place ? 0 : (up(terms * static_cast<std::int64_t>(sizeof(A)), 128) + 64) / static_cast<std::int64_t>(sizeof(A));
    // B is read where it lies when few rows use it; else each panel is packed once for all rows of this part.
    const bool b_in_place = !packed && !g.b.transposed && sizeof(B) == size_of(g.b.dtype) && is_float && rows <= 2 * tile_rows;
    const std::int64_t sums_stride = up(columns, width);
    const std::size_t a_bytes = static_cast<std::size_t>(rows * a_stride) * sizeof(A);
    const std::size_t panel_bytes = packed || k == 0 ? 0 : static_cast<std::size_t>(up(terms, Kind::group) * width) * sizeof(B);
    const std::size_t sums_bytes = has_sums ? static_cast<std::size_t>(rows * sums_stride) * sizeof(Sum) : 0;
    const Scratch scratch(a_bytes + panel_bytes + sums_bytes);
    A* a_block = scratch.as<A>();
    B* panel = scratch.as<B>(a_bytes);
    Sum* sums = has_sums ? scratch.as<Sum>(a_bytes + panel_bytes) : nullptr;
    const std::int64_t tiles = blocks_of(rows, tile_rows);

    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t k0 = block * terms, length = std::min(terms, k - k0);
      const bool first = block == 0, last = block + 1 == blocks;
      MicroArguments<Kind> m{};
      m.steps = blocks_of(length, Kind::group);
      const std::byte* a = nullptr;
      if (k == 0) {
        m.steps = 0;
      } else if (in_place) {
        a = static_cast<const std::byte*>(g.a.matrix.data) + row * g.a.matrix.row_bytes + k0 * static_cast<std::int64_t>(sizeof(A));
        m.a_stride = g.a.matrix.row_bytes;
      } else {
        write_a(k0, length, a_block, a_stride);
        a = reinterpret_cast<const std::byte*>(a_block);
        m.a_stride = a_stride * static_cast<std::int64_t>(sizeof(A));
      }
      for (std::int64_t j = 0; j < columns;) {
        std::int64_t panels = 1;
        const bool whole = b_in_place || packed;
        if (whole && rows <= four_panel_rows && columns - j >= 4 * width) panels = 4;
        else if (whole && rows <= two_panel_rows && columns - j >= 2 * width) panels = 2;
        const std::int64_t some = std::min(panels * width, columns - j), n = column + j;
        if (packed) {
          m.b = packed + n / width * up(k, Kind::group) * width + k0 * width;
          m.b_step = width * Kind::group;
          m.b_panel = up(k, Kind::group) * width;
        } else if (b_in_place && (some % width == 0)) {
          const Stored<B> b(g.b);
          m.b = b.at(k0, n);
          m.b_step = b.stride;
          m.b_panel = width;
        } else if (k != 0) {
          with_stored_type<Kind>(g.b.dtype, [&](auto s) { pack_panel<Kind, decltype(s)>(g.b, k0, length, n, some, panel); });
          m.b = panel;
          m.b_step = width * Kind::group;
        }
        for (std::int64_t t = 0; t < tiles; ++t) {  // tiles of almost equal height: a last one of few rows would be slow
          const std::int64_t i = t * rows / tiles, height = (t + 1) * rows / tiles - i;
          m.a = a + i * m.a_stride;
          tile(m, i, height, j, some, panels, sums ? sums + i * sums_stride + j : nullptr, sums_stride, first, last);
        }
        j += some;
      }
    }
  }

 private:
  void write_a(std::int64_t k0, std::int64_t length, A* dst, std::int64_t stride) const {
    if constexpr (is_float) {
      if (g.a.write) return g.a.write(g.a.context, row, rows, k0, length, dst, stride);
    }
    if constexpr (is_float) {
      if (g.a.matrix.dtype == DType::f16) copy_a<Kind, std::uint16_t>(g.a.matrix, row, rows, k0, length, dst, stride);
      else copy_a<Kind, float>(g.a.matrix, row, rows, k0, length, dst, stride);
    } else {
      with_stored_type<Kind>(g.a.matrix.dtype, [&](auto s) { copy_a<Kind, decltype(s)>(g.a.matrix, row, rows, k0, length, dst, stride); });
    }
  }

  static void multiply(const MicroArguments<Kind>& m, std::int64_t height, std::int64_t panels, std::int64_t some) {
    const auto h = static_cast<std::size_t>(height - 1);
    if (panels == 4) four_panel_kernels<Kind>[h](m);
    else if (panels == 2) two_panel_kernels<Kind>[h](m);
    else if (some <= lanes<Sum>) narrow_kernels<Kind>[h](m);
    else panel_kernels<Kind>[h](m);
  }

  // Rows [i, i + height) and columns [j, j + some) of this part: one block of k.
  void tile(MicroArguments<Kind>& m, std::int64_t i, std::int64_t height, std::int64_t j, std::int64_t some, std::int64_t panels,
            Sum* sums, std::int64_t sums_stride, bool first, bool last) const {
    const std::int64_t r = row + i, n = column + j;
    const std::int64_t registers = panels > 1 ? 2 * panels : some <= lanes<Sum> ? 1 : 2;
    const bool is_full = some == registers * lanes<Sum>;
    alignas(64) Sum buffer[tile_elements];
    if constexpr (is_float) {
      if (sums_in_c()) {
        m.alpha = g.alpha;
        m.beta = first ? g.beta : 1;
        if (is_full && same_group(g.c, r, height)) {
          m.c = reinterpret_cast<float*>(row_of(g.c, r)) + n;
          m.c_stride = g.c.row_bytes / static_cast<std::int64_t>(sizeof(float));
          multiply(m, height, panels, some);
          if (last) finish(m.c, m.c_stride, r, height, n, some);
          return;
        }
        m.c = buffer;
        m.c_stride = registers * lanes<Sum>;
        const std::size_t bytes = static_cast<std::size_t>(some) * sizeof(float);
        if (m.beta != 0)
          for (std::int64_t y = 0; y < height; ++y) {
            float* t = buffer + y * m.c_stride;
            std::fill(t + some, t + m.c_stride, 0.0f);
            std::memcpy(t, reinterpret_cast<float*>(row_of(g.c, r + y)) + n, bytes);
          }
        multiply(m, height, panels, some);
        if (last) finish(buffer, m.c_stride, r, height, n, some);
        for (std::int64_t y = 0; y < height; ++y) std::memcpy(reinterpret_cast<float*>(row_of(g.c, r + y)) + n, buffer + y * m.c_stride, bytes);
        return;
      }
    }
    m.alpha = 1;
    m.beta = first ? 0 : 1;
    m.c = sums ? sums : buffer;
    m.c_stride = sums ? sums_stride : registers * lanes<Sum>;
    multiply(m, height, panels, some);
    if (!last) return;
    // Rounded once, from the whole sum. Integers take their last steps in float64.
    using Wide = std::conditional_t<is_float, float, double>;
    float values[tile_elements];
    const std::int64_t e = static_cast<std::int64_t>(size_of(g.c.dtype));
    const Wide alpha = g.alpha, beta = g.beta;
    for (std::int64_t y = 0; y < height; ++y) {
      const Sum* s = m.c + y * m.c_stride;
      float* v = values + y * some;
      if (beta != 0) {
        load_floats(g.c.dtype, row_of(g.c, r + y) + n * e, some, v);
        for (std::int64_t x = 0; x < some; ++x) v[x] = static_cast<float>(alpha * static_cast<Wide>(s[x]) + beta * static_cast<Wide>(v[x]));
      } else {
        for (std::int64_t x = 0; x < some; ++x) v[x] = static_cast<float>(alpha * static_cast<Wide>(s[x]));
      }
    }
    finish(values, some, r, height, n, some);
    for (std::int64_t y = 0; y < height; ++y) store_floats(g.c.dtype, values + y * some, some, row_of(g.c, r + y) + n * e);
  }

  void finish(float* values, std::int64_t stride, std::int64_t r, std::int64_t height, std::int64_t n, std::int64_t some) const {
    if (g.bias)
      for (std::int64_t y = 0; y < height; ++y) {
        float* v = values + y * stride;
        for (std::int64_t x = 0; x < some; ++x) v[x] += g.bias[n + x];
      }
    if (g.finish.apply) g.finish.apply(g.finish.context, GemmTile{values, stride, height, some, r, n});
  }
};

struct GemmDriver {
  const Gemm& g;
  int kind;
  std::int64_t k, terms;

  explicit GemmDriver(const Gemm& problem) : g(problem) {
    k = g.alpha == 0 ? 0 : g.k;
    terms = terms_per_block(k);
    kind = g.packed_b ? g.packed_b->kind_ : kind_for(g.a.write ? DType::f32 : g.a.matrix.dtype, g.b.dtype, g.k);
    // float16 columns are multiplied where they lie when too few rows would use a converted copy.
    if (!g.packed_b && g.b.dtype == DType::f16 && !g.b.transposed && g.m <= 2 * tile_rows) kind = half_kind;
  }

  void part(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) const {
    with_kind(kind, [&](auto id) {
      using Kind = decltype(id);
      Part<Kind>{g, g.packed_b ? static_cast<const typename Kind::B*>(g.packed_b->block_.get()) : nullptr, k, terms, row, rows, column, columns}.run();
    });
  }

  void run() const {
    const std::int64_t m = g.m, n = g.n;
    const std::int64_t width = with_kind(kind, [](auto id) { return panel_width<decltype(id)>; });
    const std::int64_t a_size = kind == f64_kind ? 8 : kind == pairs_kind ? 2 : 4;
    // Parts: as many rows as L2 holds of A, and enough parts for all threads. Rows first while there are many: a part packs
    // its panels of B for its own rows.
    const std::int64_t most_rows = std::max<std::int64_t>(tile_rows, block_bytes / std::max<std::int64_t>(terms * a_size, 1) / tile_rows * tile_rows);
    std::int64_t down = blocks_of(m, most_rows), across = 1;
    const double work = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(std::max<std::int64_t>(k, 1));
    const std::int64_t threads = num_threads();
    const std::int64_t wanted = threads == 1 ? 1 : static_cast<std::int64_t>(std::min(static_cast<double>(4 * threads), work / 2e6));
    while (down * across < wanted) {
      const std::int64_t high = m / down, wide = n / across;
      if (wide >= 2 * width && wide >= high) across *= 2;
      else if (high >= 2 * tile_rows) down *= 2;
      else if (wide >= 2 * width) across *= 2;
      else break;
    }
    const std::int64_t panels = blocks_of(n, width);
    across = std::min(across, panels);
    if (!g.packed_b && k != 0 && down > 1 && (g.b.transposed || g.b.dtype == DType::i8 || g.b.dtype == DType::i16)) {
      // Every part would transpose or widen the same panels again.
      const PackedB packed = pack_b(g.b, g.k, g.n);
      Gemm with = g;
      with.packed_b = &packed;
      return GemmDriver(with).run();
    }
    parallel(down * across, [&](std::int64_t task) {
      const std::int64_t d = task % down, a = task / down;
      const std::int64_t row = d * m / down, column = a * panels / across * width;
      part(row, (d + 1) * m / down - row, column, std::min(n, (a + 1) * panels / across * width) - column);
    });
  }
};

void copy_runs(const void* const* pointers, DType dtype, std::int64_t run_length, std::int64_t first_k, std::int64_t length, float* dst) {
  const auto e = static_cast<std::int64_t>(size_of(dtype));
  std::int64_t run = first_k / run_length, at = first_k % run_length;
  while (length > 0) {
    const std::int64_t some = std::min(run_length - at, length);
    load_floats(dtype, static_cast<const std::byte*>(pointers[run]) + at * e, some, dst);
    dst += some;
    length -= some;
    at = 0;
    ++run;
  }
}

PackedB pack_b(const GemmMatrix& b, std::int64_t k, std::int64_t n) {
  PackedB out;
  out.k_ = k;
  out.n_ = n;
  out.kind_ = kind_for(b.dtype, b.dtype, k);
  if (b.dtype == DType::f16 && isa_converts_half) out.kind_ = half_kind;
  with_kind(out.kind_, [&](auto id) {
    using Kind = decltype(id);
    constexpr std::int64_t width = panel_width<Kind>;
    const std::int64_t panel = up(k, Kind::group) * width;
    out.block_ = pool::take(static_cast<std::size_t>(std::max<std::int64_t>(1, panel * blocks_of(n, width))) * sizeof(typename Kind::B));
    auto* dst = static_cast<typename Kind::B*>(out.block_.get());
    parallel_for(blocks_of(n, width), std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(panel, 1)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        with_stored_type<Kind>(b.dtype, [&](auto s) {
          pack_panel<Kind, decltype(s)>(b, 0, k, p * width, std::min(width, n - p * width), dst + p * panel);
        });
    });
  });
  return out;
}

void gemm(const Gemm& g) {
  if (g.m > 0 && g.n > 0) GemmDriver(g).run();
}

void gemm_part(const Gemm& g, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
  if (rows > 0 && columns > 0) GemmDriver(g).part(row, rows, column, columns);
}

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
  parallel_for(count, std::max<std::int64_t>(1, static_cast<std::int64_t>(2e6 / work)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Gemm one = product(i);
      GemmDriver(one).part(0, g.m, 0, g.n);
    }
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
