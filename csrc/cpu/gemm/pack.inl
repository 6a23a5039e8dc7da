#pragma once
// Moving factors into the form of the micro-kernels: A as rows, B as panels; converting on the way.
#include "cpu/simd/turn.inl"

namespace mpskit::cpu::MPSKIT_ISA {

template <class S>
void convert(const S* src, std::int64_t n, float* dst) {
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) store(dst + i, load_terms(src + i));
  for (; i < n; ++i) dst[i] = as_sum(src[i]);
}

// Runs of a few to some hundred elements: a call of memcpy would cost as much as the copy.
MPSKIT_INLINE void copy_floats(const float* src, std::int64_t n, float* dst) {
  using Four [[gnu::vector_size(16)]] = float;
  std::int64_t i = 0;
  for (; i + lanes<float> <= n; i += lanes<float>) store(dst + i, load<Vec<float>>(src + i));
  for (; i + 4 <= n; i += 4) store(dst + i, load<Four>(src + i));
  for (; i < n; ++i) dst[i] = src[i];
}

// Images: codes of unorm values.
template <class S>
void convert_unorm(const S* src, std::int64_t n, float* dst) {
  constexpr float most = std::numeric_limits<S>::max();
  for (std::int64_t i = 0; i < n; ++i) dst[i] = static_cast<float>(src[i]) / most;  // a division: 255 is 1 exactly
}

void load_floats(DType t, const std::byte* src, std::int64_t n, float* dst) {
  switch (t) {
    case DType::f32: copy_floats(reinterpret_cast<const float*>(src), n, dst); break;
    case DType::f16: convert(reinterpret_cast<const std::uint16_t*>(src), n, dst); break;
    case DType::u8: convert_unorm(reinterpret_cast<const std::uint8_t*>(src), n, dst); break;
    default: convert_unorm(reinterpret_cast<const std::uint16_t*>(src), n, dst); break;
  }
}

template <class D>
void store_unorm(const float* src, std::int64_t n, D* dst) {
  constexpr float most = std::numeric_limits<D>::max();
  constexpr float round = 0x1p23f;  // adding it leaves the nearest integer, ties to even, in the low bits
  for (std::int64_t i = 0; i < n; ++i) {
    float v = src[i] > 0 ? src[i] : 0;  // NaN too
    v = (v < 1 ? v : 1) * most + round;
    dst[i] = static_cast<D>(std::bit_cast<std::uint32_t>(v));
  }
}

void store_floats(DType t, const float* src, std::int64_t n, std::byte* dst) {
  switch (t) {
    case DType::f32: std::memcpy(dst, src, static_cast<std::size_t>(n) * sizeof(float)); break;
    case DType::f16: {
      auto* half = reinterpret_cast<std::uint16_t*>(dst);
      std::int64_t i = 0;
      for (; i + lanes<float> <= n; i += lanes<float>) store_half(half + i, load<Vec<float>>(src + i));
      for (; i < n; ++i) half[i] = float_to_half(src[i]);
      break;
    }
    case DType::u8: store_unorm(src, n, reinterpret_cast<std::uint8_t*>(dst)); break;
    default: store_unorm(src, n, reinterpret_cast<std::uint16_t*>(dst)); break;
  }
}

// dst[c * dst_stride + r] = src[r * src_stride + c], of eight rows and columns.
MPSKIT_INLINE void transpose_eight(const float* src, std::ptrdiff_t src_stride, float* dst, std::ptrdiff_t dst_stride) {
  Eight block[8];
  for (int i = 0; i < 8; ++i) block[i] = load<Eight>(src + i * src_stride);
  turn(block);
  for (int i = 0; i < 8; ++i) store(dst + i * dst_stride, block[i]);
}
// ... of any number.
void transpose(const float* src, std::ptrdiff_t src_stride, std::int64_t rows, std::int64_t columns, float* dst, std::ptrdiff_t dst_stride) {
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const float* s = src + r * src_stride;
    std::int64_t c = 0;
    for (; c + 8 <= columns; c += 8) transpose_eight(s + c, src_stride, dst + c * dst_stride + r, dst_stride);
    for (; c < columns; ++c)
      for (int i = 0; i < 8; ++i) dst[c * dst_stride + r + i] = s[i * src_stride + c];
  }
  for (; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) dst[c * dst_stride + r] = src[r * src_stride + c];
}
void transpose(const std::uint16_t* src, std::ptrdiff_t src_stride, std::int64_t rows, std::int64_t columns, float* dst, std::ptrdiff_t dst_stride) {
  constexpr std::int64_t block_rows = 32, block_columns = 64;
  float block[block_rows * block_columns];
  for (std::int64_t r = 0; r < rows; r += block_rows) {
    const std::int64_t some_rows = std::min(block_rows, rows - r);
    for (std::int64_t c = 0; c < columns; c += block_columns) {
      const std::int64_t some_columns = std::min(block_columns, columns - c);
      for (std::int64_t i = 0; i < some_rows; ++i) convert(src + (r + i) * src_stride + c, some_columns, block + i * block_columns);
      transpose(block, block_columns, some_rows, some_columns, dst + c * dst_stride + r, dst_stride);
    }
  }
}

template <class S>
struct Stored {  // a factor as it is stored
  const S* data;
  std::ptrdiff_t stride;
  explicit Stored(const GemmMatrix& m) : data(static_cast<const S*>(m.data)), stride(m.row_bytes / static_cast<std::ptrdiff_t>(sizeof(S))) {}
  const S* at(std::int64_t row, std::int64_t column) const { return data + row * stride + column; }
};

// Rows [m, m + rows) of A, terms [k, k + length), row i to dst + i * stride; an odd last term of pairs gets a zero beside it.
template <class Kind, class S>
void copy_a(const GemmMatrix& a, std::int64_t m, std::int64_t rows, std::int64_t k, std::int64_t length, typename Kind::A* dst,
            std::ptrdiff_t stride) {
  const Stored<S> src(a);
  if constexpr (std::is_same_v<typename Kind::A, float>) {
    if (a.transposed) return transpose(src.at(k, m), src.stride, length, rows, dst, stride);
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(S));
    for (std::int64_t i = 0; i < rows; ++i) {
      const S* s = src.at(m + i, k);
      float* d = dst + i * stride;
      // A machine does not foresee a row that begins in another page.
      const std::ptrdiff_t next = i + 1 < rows ? src.stride : 0;
      std::int64_t j = 0;
      for (; j + line <= length; j += line) {
        __builtin_prefetch(s + next + j);
#pragma GCC unroll 16
        for (std::int64_t x = 0; x < line; x += lanes<float>) store(d + j + x, load_terms(s + j + x));
      }
      convert(s + j, length - j, d + j);
    }
  } else {
    const std::ptrdiff_t di = a.transposed ? 1 : src.stride, dk = a.transposed ? src.stride : 1;
    const S* p = a.transposed ? src.at(k, m) : src.at(m, k);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < length; ++j) dst[i * stride + j] = p[i * di + j * dk];
      if (length % Kind::group) dst[i * stride + length] = 0;
    }
  }
}

// Terms [k, k + length) of columns [n, n + columns) of B as one panel, columns beyond the last as zeros.
template <class Kind, class S>
void pack_panel(const GemmMatrix& b, std::int64_t k, std::int64_t length, std::int64_t n, std::int64_t columns, typename Kind::B* dst) {
  using B = typename Kind::B;
  constexpr std::int64_t width = panel_width<Kind>;
  const Stored<S> src(b);
  const std::int64_t padded = (length + Kind::group - 1) / Kind::group * Kind::group;
  if (columns < width || padded != length) std::fill(dst, dst + padded * width, B{});
  if constexpr (std::is_same_v<B, float>) {
    if (b.transposed) return transpose(src.at(n, k), src.stride, columns, length, dst, width);
    if (columns == width) {
      for (std::int64_t i = 0; i < length; ++i) {
        const S* s = src.at(k + i, n);
        __builtin_prefetch(s + 8 * src.stride);
        for (int j = 0; j < 2; ++j) store(dst + i * width + j * lanes<float>, load_terms(s + j * lanes<float>));
      }
    } else {
      for (std::int64_t i = 0; i < length; ++i) convert(src.at(k + i, n), columns, dst + i * width);
    }
  } else {
    constexpr std::int64_t group = Kind::group;
    const std::ptrdiff_t dk = b.transposed ? 1 : src.stride, dn = b.transposed ? src.stride : 1;
    const S* p = b.transposed ? src.at(n, k) : src.at(k, n);
    for (std::int64_t i = 0; i < length; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        dst[i / group * group * width + j * group + i % group] = static_cast<B>(p[i * dk + j * dn]);
  }
}

// f(type of the stored elements): the one place that knows which dtypes a kind reads.
template <class Kind, class F>
void with_stored_type(DType t, F&& f) {
  if constexpr (std::is_same_v<typename Kind::Sum, float>) {
    if (t == DType::f16) f(std::uint16_t{});
    else if constexpr (!std::is_same_v<Kind, Half>) f(float{});
  } else {
    if constexpr (std::is_same_v<Kind, F64>)
      if (t == DType::f64) return f(double{});
    if (t == DType::i8) f(std::int8_t{});
    else f(std::int16_t{});
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
