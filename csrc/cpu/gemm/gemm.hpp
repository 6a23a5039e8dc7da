#pragma once
// The matrix core: C = epilogue(alpha * A * B + beta * C). Everything heavy stands on it: matrix products, convolutions,
// fully connected and recurrent layers. Include it from a kernel source (inside the target pragma); the code is in gemm.cpp,
// once per ISA.
//
//   A  M x K   rows, from a matrix in memory or from a function that writes them: a convolution gathers the window of each
//              pixel, converts and pads on the way, and no im2col buffer is ever whole.
//   B  K x N   a matrix in memory, or PackedB: weights, laid out once for the registers. Pack in the plan's constructor.
//   C  M x N   float32 or float16, or uint8 / uint16 as unorm codes; float64 of float64 factors. Rows may lie anywhere.
//
// A convolution, in full:
//   plan:  weights_ = pack_b({weights, DType::f32, K * 4, .transposed = true}, K, N);     // OHWI is N rows of K
//   run:   auto rows = [&](std::int64_t m, std::int64_t count, std::int64_t k, std::int64_t length, float* dst, std::int64_t stride) {...};
//          Gemm g;
//          g.m = pixels, g.n = N, g.k = K;
//          g.a = rows_from(rows);                                                         // `rows` outlives the call
//          g.packed_b = &weights_;
//          g.c = {dst, DType::f16, pixel_bytes};
//          g.bias = bias;  g.finish = finish_with(neuron);
//          gemm(g);
//
// Sums are float32 multiply-adds (float64 for such factors, exact integers for int8 and int16), in an order that depends on the sizes alone: the
// result is the same for every number of threads, and for every position of an element in its product. With AMX, products that are
// worth it go by tiles (README.md): a little more exact, and dependent on `all_rows` and on the magnitudes in B and in the row of A too.
namespace mpskit::cpu::MPSKIT_ISA {

// A row-major matrix in memory. Transposed: what is meant is the transpose of what is stored.
struct GemmMatrix {
  const void* data = nullptr;
  DType dtype = DType::f32;       // f32 or f16; both i8, both i16 or both f64
  std::int64_t row_bytes = 0;     // from one stored row to the next; a multiple of the element
  bool transposed = false;
};

// Writes rows [first_row, first_row + rows) of A, elements [first_k, first_k + length) of each, as float32: row i to
// dst[i * stride]. Runs on many threads at once. Nothing may be written beyond dst[i * stride + length - 1].
using WriteRows = void (*)(const void* context, std::int64_t first_row, std::int64_t rows, std::int64_t first_k,
                           std::int64_t length, float* dst, std::int64_t stride);

// Rows that are windows in an image of floats and are read where they lie: row m begins at data + m / rows_per_group * group_bytes +
// m % rows_per_group * row_bytes (a group is a row of results) and has `pieces.size()` pieces of `length` elements, each so many
// bytes further. For gemm_part, whose rows are whole groups then.
struct GemmWindows {
  const float* data = nullptr;
  std::int64_t rows_per_group = 0, group_bytes = 0, row_bytes = 0;
  std::span<const std::int64_t> pieces;
  std::int64_t length = 0;
};

struct GemmRows {
  GemmMatrix matrix;            // used when there is nothing else
  WriteRows write = nullptr;
  const void* context = nullptr;
  const GemmWindows* windows = nullptr;
};
template <class F>  // F: void(first_row, rows, first_k, length, float* dst, stride) const
GemmRows rows_from(const F& f) {
  return {{}, [](const void* context, std::int64_t m, std::int64_t rows, std::int64_t k, std::int64_t length, float* dst,
                 std::int64_t stride) { (*static_cast<const F*>(context))(m, rows, k, length, dst, stride); }, &f, nullptr};
}

// For windows: row m of A is `runs` pieces of `run_length` contiguous elements each (runs * run_length = K), one for every
// tap, in the order of the weights. `pointers(m, out)` fills in where each begins: a pixel, the nearest pixel of the border
// (clamp), or run_length zeros (zero padding). Elements are f32, f16, or u8 / u16 unorm codes. Use it inside a WriteRows
// or through rows_from(WindowRows{...}).
void copy_runs(const void* const* pointers, DType dtype, std::int64_t run_length, std::int64_t first_k, std::int64_t length,
               float* dst);
template <class F>  // F: void(row, const void** pointers) const
struct WindowRows {
  F pointers;
  std::int64_t runs, run_length;
  DType dtype;
  void operator()(std::int64_t m, std::int64_t rows, std::int64_t k, std::int64_t length, float* dst, std::int64_t stride) const {
    constexpr std::int64_t few = 128;
    const void* on_stack[few];
    const Scratch block(runs > few ? static_cast<std::size_t>(runs) * sizeof(void*) : 0);
    const void** p = runs > few ? block.as<const void*>() : on_stack;
    for (std::int64_t i = 0; i < rows; ++i) {
      pointers(m + i, p);
      copy_runs(p, dtype, run_length, k, length, dst + i * stride);
    }
  }
};
template <class F>
WindowRows(F, std::int64_t, std::int64_t, DType) -> WindowRows<F>;

// B, laid out for the registers. A value; copies share the bytes.
class PackedB {
 public:
  std::int64_t k() const { return k_; }
  std::int64_t n() const { return n_; }
  bool is_empty() const { return !block_; }

 private:
  friend struct GemmDriver;
  template <class Kind>
  friend struct Part;
  std::shared_ptr<void> block_;
  std::int64_t k_ = 0, n_ = 0;
  int kind_ = 0;  // of the micro-kernel
  // AMX: the same as tiles, and the magnitudes among them, as bits.
  std::shared_ptr<void> tiles_;
  int planes_ = 1;
  std::uint32_t least_ = 0, most_ = 0;
};
// Parallel. Tiles are for AMX, and worth it when a row of A meets some hundred columns at a time.
PackedB pack_b(const GemmMatrix& b, std::int64_t k, std::int64_t n, bool may_have_tiles = true);
inline constexpr std::int64_t panel_columns = MPSKIT_VECTOR_BYTES == 64 ? 32 : MPSKIT_VECTOR_BYTES == 32 ? 16 : 8;

// A tile of finished float32 sums, before it is rounded to C: apply a neuron, a per-column scale, a residual, in place.
// values[i * stride + j] belongs to C[first_row + i][first_column + j]. At most 1024 elements, in L1.
struct GemmTile {
  float* values;
  std::int64_t stride, rows, columns, first_row, first_column;
};
struct GemmFinish {
  void (*apply)(const void* context, const GemmTile& tile) = nullptr;
  const void* context = nullptr;
};
template <class F>  // F: void(const GemmTile&) const
GemmFinish finish_with(const F& f) {
  return {[](const void* context, const GemmTile& tile) { (*static_cast<const F*>(context))(tile); }, &f};
}

struct GemmResult {
  void* data = nullptr;
  DType dtype = DType::f32;       // f32, f16, u8, u16 (unorm: clamped to [0, 1], nearest even); f64 of f64 factors, and nothing else then
  std::int64_t row_bytes = 0;     // row m is at data + m * row_bytes ...
  // ... or, when rows_per_group is set, at data + m / rows_per_group * group_bytes + m % rows_per_group * row_bytes: pixels
  // of image rows that are padded.
  std::int64_t rows_per_group = 0, group_bytes = 0;
};

struct Gemm {
  std::int64_t m = 0, n = 0, k = 0;
  GemmRows a;
  const PackedB* packed_b = nullptr;  // or
  GemmMatrix b;                       // when it is null: packed on the way where that pays
  GemmResult c;
  double alpha = 1, beta = 0;         // as precise as C; alpha 0: A and B are not read; beta 0: C is not read
  const float* bias = nullptr;        // n of them, added to every row after alpha
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();  // of float sums, after bias; NaN stays
  GemmFinish finish;                  // float sums only; last
  // Of the product that this is a part of, where m depends on how work is divided: AMX is chosen by the rows, and alike for all parts.
  std::int64_t all_rows = 0;          // 0: m
  bool allows_reduced = false;        // of matrices in memory: one bfloat16 for a float where there is AMX
};

void gemm(const Gemm& g);  // on all threads, or on this one when it is already inside a parallel region
// Many products of one size: g(i) for i in [0, count). `step` is what one product adds to the addresses of A, B and C.
struct GemmSteps {
  std::int64_t a_bytes, b_bytes, c_bytes;
};
void gemm_batch(const Gemm& g, std::int64_t count, const GemmSteps& step);
// Rows [row, row + rows) and columns [column, column + columns) of C, on this thread: for layers that divide the work
// themselves. Needs packed_b; `column` is a multiple of panel_columns.
void gemm_part(const Gemm& g, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns);

}  // namespace mpskit::cpu::MPSKIT_ISA
