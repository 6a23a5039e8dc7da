#pragma once
// Kernels that go through a batch one matrix at a time: of others than products nobody states what MPS does with a batch, its pivots,
// its status and its vectors.
#include "kernels/common/matrix_kernel.hpp"
#include "metal/rows.hpp"

namespace mpskit::metal {

template <class Filter>  // a subclass of MPSMatrixUnaryKernel
void set_origins(Filter filter, MTLOrigin source, MTLOrigin result) {
  filter.sourceMatrixOrigin = source;
  filter.resultMatrixOrigin = result;
  filter.batchStart = 0;
  filter.batchSize = 1;
}
template <class Filter>  // a subclass of MPSMatrixBinaryKernel
void set_origins(Filter filter, MTLOrigin primary, MTLOrigin secondary, MTLOrigin result) {
  filter.primarySourceMatrixOrigin = primary;
  filter.secondarySourceMatrixOrigin = secondary;
  filter.resultMatrixOrigin = result;
  filter.batchStart = 0;
  filter.batchSize = 1;
}
template <class Filter>
void set_origins(Filter filter, const linalg::UnaryKernel& k) {
  set_origins(filter, to_mtl(k.source_matrix_origin), to_mtl(k.result_matrix_origin));
}
template <class Filter>
void set_origins(Filter filter, const linalg::BinaryKernel& k) {
  set_origins(filter, to_mtl(k.primary_source_matrix_origin), to_mtl(k.secondary_source_matrix_origin), to_mtl(k.result_matrix_origin));
}

// encode(index) for each matrix of the batch.
template <class F>
void each_matrix(const linalg::Batch& batch, F&& encode) {
  for (std::int64_t m = batch.first; m < batch.first + batch.count; ++m) encode(m);
}

// Vectors as matrices of one row.
inline Operand as_rows(Operand vectors) {
  const Layout l = vectors.layout;
  vectors.layout = Layout::matrix(l.dtype, 1, l.length(), l.vectors());
  vectors.layout.stride[0] = l.vector_bytes();
  return vectors;
}

// Memory of a plan's own, for what is encoded now.
inline id<MTLBuffer> scratch_buffer(Encoder& e, std::string_view kernel, std::int64_t bytes, MTLResourceOptions mode) {
  auto buffer = adopt([e.context().device() newBufferWithLength:count_of(bytes) options:mode]);
  if (!buffer) throw DeviceError(cat(kernel, ": ", e.context().info().name, " made no buffer of ", bytes, " bytes. Free arrays, or pass device=\"cpu\"."));
  return e.keep(std::move(buffer));
}

// A window of a batch of matrices, or of vectors taken as rows, times a factor; 0 writes zeros, whatever was there.
inline void scale_window(Encoder& e, const Operand& o, const linalg::Batch& batch, const Origin& origin, const linalg::Extent& extent, float factor) {
  const Layout& l = o.layout;
  const Place p = e.place(o);
  ScaleArguments a{};
  a.offset = p.offset + static_cast<unsigned long>(batch.first * l.matrix_bytes() + origin.x * l.row_bytes() + origin.y * l.element_bytes());
  a.matrix_bytes = static_cast<unsigned long>(l.matrix_bytes());
  a.row_bytes = static_cast<unsigned long>(l.row_bytes());
  a.format = l.dtype == DType::f16 ? element_half : element_float;
  a.rows = static_cast<unsigned int>(extent.rows);
  a.columns = static_cast<unsigned int>(extent.columns);
  a.matrices = static_cast<unsigned int>(batch.count);
  a.factor = factor;
  e.compute("scale_rows", p.buffer, {}, a, MTLSizeMake(a.columns, a.rows, a.matrices));
}

// How a factorization ended, as MPS tells: one number, of one matrix. It is not known to tell of success, so that is there before.
class Status {
 public:
  Status(Encoder& e, std::string_view kernel, const Operand& status)
      : e_(e), target_(e.place(status)), buffer_(scratch_buffer(e, kernel, sizeof(int), MTLResourceStorageModeShared)) {
    *static_cast<int*>([buffer_ contents]) = 0;
  }
  id<MTLBuffer> buffer() const { return buffer_; }
  void take(std::int64_t matrix) {  // and begin anew
    Encoder::Pass(e_, "take_status").add({buffer_, target_.buffer}, {}, StatusArguments{target_.offset + static_cast<unsigned long>(matrix) * sizeof(int)}, MTLSizeMake(1, 1, 1));
  }

 private:
  Encoder& e_;
  Place target_;
  id<MTLBuffer> buffer_;
};

}  // namespace mpskit::metal
