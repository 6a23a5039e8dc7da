#pragma once
// The innermost product: a tile of C in registers, one step of k after the other.
namespace mpskit::cpu::MPSKIT_ISA {

// Rows of the largest tile: rows * 2 sums, two registers of B and one of A fill the register file.
inline constexpr int tile_rows = MPSKIT_VECTOR_BYTES == 64 ? 14
#if defined(__aarch64__)
                                                           : 12;
#else
                                                           : 6;
#endif
template <class Kind>
inline constexpr int panel_width = 2 * lanes<typename Kind::Sum>;  // columns of a panel of B: two registers
static_assert(panel_width<F32> == panel_columns);

inline constexpr std::int64_t one_piece[1] = {0};

template <class Kind>
struct MicroArguments {
  const std::byte* a;        // row i at a + i * a_stride ...
  std::ptrdiff_t a_stride;   // bytes
  const std::int64_t* pieces = one_piece;  // ... in pieces, which begin so many bytes further: windows in an image
  std::int64_t piece_count = 1;
  const typename Kind::B* b;
  std::ptrdiff_t b_step;     // elements from one step of k to the next
  std::ptrdiff_t b_panel;    // elements from one panel to the next, for kernels that take several
  std::int64_t steps;        // of each piece
  typename Kind::Sum* c;     // c = alpha * sum + beta * c; integers know alpha 1 and beta 0 or 1
  std::ptrdiff_t c_stride;   // elements
  typename Kind::Sum alpha, beta;
  const std::byte* ahead;            // what comes next: a line of it is asked for with every four steps ... (A where there is nothing)
  std::ptrdiff_t ahead_step = 0;     // ... so many bytes further each time; for tiles all of these, with every step
  const float* bias = nullptr;  // of float sums that are finished here: one a column, added last; then clamped
  float low = 0, high = 0;
  // For tiles: planes of the factors, and rows (or none, null) that are multiplied as they are by a float panel of so many terms.
  int a_planes = 1, b_planes = 1;
  bool continues = false;  // C holds sums of earlier terms, and alpha is 1
  const float* const* exact_rows = nullptr;
  const float* exact_b = nullptr;
  std::int64_t exact_steps = 0;
};

// `rows` x (`panels` * `registers` registers). Every variant adds the terms of an element in the same order, one at a time, so
// an element's value does not depend on the tile it falls into.
template <class Kind, class Product, int rows, int panels, int registers>
void micro_kernel(const MicroArguments<Kind>& m) {
  using Sum = typename Kind::Sum;
  using V = Vec<Sum>;
  constexpr int columns = panels * registers;
  constexpr int width = lanes<Sum>;
  constexpr int bases = (rows + 2) / 3;
  const std::ptrdiff_t s = m.a_stride, b_step = m.b_step, b_panel = m.b_panel;  // copies: C might alias the arguments
  // Three rows share a base register (base, base + s, base + 2 s are addressing modes); the asm keeps the compiler from
  // deriving the bases from each other or from spreading them into one pointer a row.
  const std::byte* base[bases];
  auto prefetch_c = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < columns; j += 64 / MPSKIT_VECTOR_BYTES) __builtin_prefetch(m.c + i * m.c_stride + j * width);
  };
  // C is asked for so many steps before the end: in time for memory, too late to be driven out of L1 by A and B.
  constexpr std::int64_t late = 64;
  if (m.steps < late) prefetch_c();

  V sum[rows][columns];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) sum[i][j] = V{};
  const typename Kind::B* b = m.b;
  const std::byte* ahead = m.ahead;
  const std::ptrdiff_t ahead_step = m.ahead_step;
  auto step = [&](int k) __attribute__((always_inline)) {
    asm volatile("" : "+r"(b));  // loads of later steps stay behind this one: no registers to keep them in
    auto row = [&](int i) __attribute__((always_inline)) {
      return Kind::a(reinterpret_cast<const typename Kind::A*>(base[i / 3] + (i % 3) * s) + k * Kind::group);
    };
    auto column = [&](int j) __attribute__((always_inline)) {
      return Kind::b(b + (j / registers) * b_panel + (j % registers) * width * Kind::group);
    };
    if constexpr (columns <= rows || columns <= 2) {
      V bs[columns];
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) bs[j] = column(j);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const V x = row(i);
#pragma GCC unroll 16
        for (int j = 0; j < columns; ++j) Product::add(sum[i][j], x, bs[j]);
      }
    } else {
      V xs[rows];
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) xs[i] = row(i);
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) {
        const V y = column(j);
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) Product::add(sum[i][j], xs[i], y);
      }
    }
    b += b_step;
  };
  auto advance = [&](int k) __attribute__((always_inline)) {
    for (int i = 0; i < bases; ++i) base[i] += k * Kind::group * static_cast<int>(sizeof(typename Kind::A));
  };
  for (std::int64_t piece = 0; piece < m.piece_count; ++piece) {
    for (int i = 0; i < bases; ++i) {
      base[i] = m.a + m.pieces[piece] + 3 * i * s;
      asm("" : "+r"(base[i]));
    }
    std::int64_t k = m.steps;
    for (; k >= 4; k -= 4) {
      if ((k & ~std::int64_t{3}) == late) [[unlikely]] prefetch_c();
      step(0);
      step(1);
      step(2);
      step(3);
      __builtin_prefetch(ahead, 0, 2);
      ahead += ahead_step;
      advance(4);
    }
    for (; k > 0; --k) {
      step(0);
      advance(1);
    }
  }

  const Sum alpha = m.alpha, beta = m.beta;
  const float *const bias = m.bias, low = m.low, high = m.high;
  Sum* first = m.c;
  const std::ptrdiff_t c_stride = m.c_stride;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      Sum* c = first + i * c_stride + j * width;
      V v = sum[i][j];
      if constexpr (std::is_same_v<Sum, float>) {
        v *= alpha;
        if (beta != 0) v = multiply_add(beta - V{}, load<V>(c), v);
        if (bias) v = minimum(all(high), maximum(all(low), v + load<V>(bias + j * width)));
      } else if (beta != 0) {
        v += load<V>(c);
      }
      store(c, v);
    }
  }
}

// The kernels of one width by their rows: [rows - 1] is the highest that has no more. What is seldom needed has few heights, and a tile is
// made of several: each kernel costs a compiler a tenth of a second and more.
template <class Kind>
struct Height {
  void (*run)(const MicroArguments<Kind>&) = nullptr;
  int rows = 0;
};
template <class Kind, class Product, int panels, int registers, int most, int... rows>
constexpr std::array<Height<Kind>, most> micro_kernels(std::integer_sequence<int, rows...>) {
  std::array<Height<Kind>, most> out{};
  ((out[rows - 1] = {&micro_kernel<Kind, Product, rows, panels, registers>, rows}), ...);
  for (std::size_t i = 1; i < out.size(); ++i)
    if (!out[i].run) out[i] = out[i - 1];
  return out;
}
template <int... i>
std::integer_sequence<int, (i + 1)...> counted(std::integer_sequence<int, i...>);
template <int most>
using UpTo = decltype(counted(std::make_integer_sequence<int, most>{}));
using SomeHeights = std::conditional_t<(tile_rows > 8), std::integer_sequence<int, 1, 2, 4, 8, tile_rows>, std::integer_sequence<int, 1, 2, 4, tile_rows>>;
template <class Kind>
inline constexpr bool is_float_kind = std::is_same_v<typename Kind::Sum, float>;
// A whole panel, and its first register alone (few columns at the right edge).
template <class Kind, class Product = Kind>
inline constexpr auto panel_kernels = micro_kernels<Kind, Product, 1, 2, tile_rows>(std::conditional_t<is_float_kind<Kind>, UpTo<tile_rows>, SomeHeights>{});
template <class Kind>
inline constexpr auto narrow_kernels = micro_kernels<Kind, Kind, 1, 1, tile_rows>(SomeHeights{});
// Few rows: a tile of floats spans several panels, so that enough sums are in flight to hide the latency of a multiply-add.
inline constexpr int four_panel_rows = MPSKIT_VECTOR_BYTES == 64 ? 3 : 1;
inline constexpr int two_panel_rows = MPSKIT_VECTOR_BYTES == 64 ? 6 : 3;
template <class Kind>
inline constexpr auto two_panel_kernels = micro_kernels<Kind, Kind, 2, 2, two_panel_rows>(UpTo<two_panel_rows>{});
template <class Kind>
inline constexpr auto four_panel_kernels = micro_kernels<Kind, Kind, 4, 2, four_panel_rows>(UpTo<four_panel_rows>{});

template <class Kind, std::size_t most>
void run_rows(const std::array<Height<Kind>, most>& kernels, const MicroArguments<Kind>& m, std::int64_t rows) {
  const Height<Kind>& first = kernels[static_cast<std::size_t>(rows - 1)];
  first.run(m);
  MicroArguments<Kind> rest = m;
  for (std::int64_t done = first.rows; done < rows;) {
    const Height<Kind>& next = kernels[static_cast<std::size_t>(rows - done - 1)];
    rest.a = m.a + done * m.a_stride;
    rest.c = m.c + done * m.c_stride;
    next.run(rest);
    done += next.rows;
  }
}

// c = alpha * (rows of A) . (rows of B) + beta * c, along contiguous k: b_step elements from one row of B to the next.
template <class Kind, int rows, int columns>
MPSKIT_INLINE void dot_tile(const MicroArguments<Kind>& m, int row, std::int64_t column) {
  using V = Vec<float>;
  const float* a[rows];
  for (int i = 0; i < rows; ++i) a[i] = reinterpret_cast<const float*>(m.a + (row + i) * m.a_stride);
  const typename Kind::B* b = m.b + column * m.b_step;
  V sum[rows][columns];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) sum[i][j] = V{};
  std::int64_t k = 0;
  for (; k + lanes<float> <= m.steps; k += lanes<float>) {
    V x[rows];
    for (int i = 0; i < rows; ++i) x[i] = load<V>(a[i] + k);
    for (int j = 0; j < columns; ++j) {
      const V y = Kind::b(b + j * m.b_step + k);
      for (int i = 0; i < rows; ++i) sum[i][j] = multiply_add(x[i], y, sum[i][j]);
    }
  }
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      float lane[lanes<float>];
      store(lane, sum[i][j]);
      for (int width = lanes<float> / 2; width > 0; width /= 2)
        for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
      float total = lane[0];
      for (std::int64_t t = k; t < m.steps; ++t) total += a[i][t] * as_sum(b[j * m.b_step + t]);
      float& c = m.c[(row + i) * m.c_stride + column + j];
      c = m.beta != 0 ? m.alpha * total + m.beta * c : m.alpha * total;
    }
  }
}
template <class Kind>
void dot_products(const MicroArguments<Kind>& m, std::int64_t height, std::int64_t count) {
  constexpr int four = 4;
  std::int64_t j = 0;
  for (; j + four <= count; j += four) {
    int i = 0;
    for (; i + 4 <= height; i += 4) dot_tile<Kind, 4, four>(m, i, j);
    for (; i + 2 <= height; i += 2) dot_tile<Kind, 2, four>(m, i, j);
    for (; i < height; ++i) dot_tile<Kind, 1, four>(m, i, j);
  }
  for (; j < count; ++j)
    for (int i = 0; i < height; ++i) dot_tile<Kind, 1, 1>(m, i, j);
}

}  // namespace mpskit::cpu::MPSKIT_ISA
