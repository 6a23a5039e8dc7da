#pragma once
// Matrices of float32 or float16 as the shader combine_rows takes them: copies between operands, MPS' own and scratch memory.
#include "metal/kernel.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {

inline NSUInteger count_of(std::int64_t n) { return static_cast<NSUInteger>(n); }

// A batch of matrices: those of an operand, of MPS, or of nobody else.
struct Rows {
  id<MTLBuffer> buffer;
  std::size_t offset;
  std::int64_t matrices, rows, columns, matrix_bytes, row_bytes;
  bool is_half;

  static Rows of(Encoder& e, const Operand& o) {
    const Layout& l = o.layout;
    const Place p = e.place(o);
    return {p.buffer, p.offset, l.matrices(), l.rows(), l.columns(), l.matrix_bytes(), l.row_bytes(), l.dtype == DType::f16};
  }
  static Rows of(Encoder& e, const Operand& vector, std::int64_t index, std::int64_t length) {  // a vector as a row
    const Layout& l = vector.layout;
    const Place p = e.place(vector);
    return {p.buffer, p.offset + static_cast<std::size_t>(index * l.vector_bytes()), 1, 1, length, l.vector_bytes(), l.vector_bytes(), l.dtype == DType::f16};
  }
  static Rows of(MPSMatrix* m) {
    const auto number = [](NSUInteger n) { return static_cast<std::int64_t>(n); };
    return {m.data, m.offset, 1, number(m.rows), number(m.columns), number(m.matrixBytes), number(m.rowBytes), m.dataType == MPSDataTypeFloat16};
  }
  static Rows scratch(Encoder& e, std::int64_t matrices, std::int64_t rows, std::int64_t columns) {
    const auto row_bytes = static_cast<std::int64_t>([MPSMatrixDescriptor rowBytesForColumns:count_of(columns) dataType:MPSDataTypeFloat32]);
    auto buffer = adopt([e.context().device() newBufferWithLength:count_of(matrices * rows * row_bytes)
                                                          options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
    if (!buffer) throw DeviceError(cat(e.context().info().name, " made no buffer for ", matrices, " matrices of float32. Free arrays, or pass smaller batches."));
    return {e.keep(std::move(buffer)), 0, matrices, rows, columns, rows * row_bytes, row_bytes, false};
  }
  Rows matrix(std::int64_t i) const {
    Rows out = *this;
    out.offset += static_cast<std::size_t>(i * matrix_bytes);
    out.matrices = 1;
    return out;
  }
  Rows from_column(std::int64_t first, std::int64_t n) const {
    Rows out = *this;
    out.offset += static_cast<std::size_t>(first) * (is_half ? 2 : 4);
    out.columns = n;
    return out;
  }
  Rows window(const Origin& origin, std::int64_t some_rows, std::int64_t some_columns) const {
    Rows out = from_column(origin.y, some_columns);
    out.offset += static_cast<std::size_t>(origin.x * row_bytes);
    out.rows = some_rows;
    return out;
  }
  // One row of some of the matrices, each as a matrix.
  Rows row(std::int64_t index, std::int64_t first, std::int64_t count) const {
    Rows out = *this;
    out.offset += static_cast<std::size_t>(first * matrix_bytes + index * row_bytes);
    out.matrices = count;
    out.rows = 1;
    return out;
  }
  Rows repeated() const {  // one matrix as all of a batch
    Rows out = *this;
    out.matrix_bytes = 0;
    return out;
  }
  NSArray<MPSMatrix*>* steps(Encoder& e) const {
    return steps(e, [this](std::int64_t) { return rows; });
  }
  // The first rows of each matrix, as many as rows_of(which one) tells.
  template <class F>
  NSArray<MPSMatrix*>* steps(Encoder& e, F&& rows_of) const {
    NSMutableArray<MPSMatrix*>* out = [NSMutableArray array];
    MPSMatrixDescriptor* d = nil;
    for (std::int64_t t = 0; t < matrices; ++t) {
      const NSUInteger some = count_of(rows_of(t));
      if (d.rows != some) d = [MPSMatrixDescriptor matrixDescriptorWithRows:some columns:count_of(columns) rowBytes:count_of(row_bytes) dataType:MPSDataTypeFloat32];
      [out addObject:e.keep(adopt([[MPSMatrix alloc] initWithBuffer:buffer offset:offset + count_of(t * matrix_bytes) descriptor:d]))];
    }
    return out;
  }
};

inline void combine(Encoder::Pass& pass, const Rows& from, const Rows& to, bool adds = false) {
  const auto bytes = [](std::int64_t n) { return static_cast<unsigned long>(n); };
  const auto number = [](std::int64_t n) { return static_cast<unsigned int>(n); };
  const auto format = [](const Rows& r) { return static_cast<unsigned int>(r.is_half ? element_half : element_float); };
  const RowsArguments a{from.offset, bytes(from.matrix_bytes), bytes(from.row_bytes), to.offset, bytes(to.matrix_bytes), bytes(to.row_bytes), format(from), format(to),
                        number(to.rows), number(to.columns), number(to.matrices), adds};
  pass.add({from.buffer, to.buffer}, {}, a, MTLSizeMake(a.columns, a.rows, a.matrices));
}
inline void combine(Encoder& e, const Rows& from, const Rows& to, bool adds = false) {
  Encoder::Pass pass(e, "combine_rows");
  combine(pass, from, to, adds);
}

inline void clear(Encoder& e, const Rows& to) {
  ScaleArguments a{};
  a.offset = to.offset;
  a.matrix_bytes = static_cast<unsigned long>(to.matrix_bytes);
  a.row_bytes = static_cast<unsigned long>(to.row_bytes);
  a.format = element_float;
  a.rows = static_cast<unsigned int>(to.rows);
  a.columns = static_cast<unsigned int>(to.columns);
  a.matrices = static_cast<unsigned int>(to.matrices);
  e.compute("scale_rows", to.buffer, {}, a, MTLSizeMake(a.columns, a.rows, a.matrices));
}

}  // namespace mpskit::metal
