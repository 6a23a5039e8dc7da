#pragma once
// Kernels of windows of matrices, and layers.
#include "kernels/cnn/values/neuron_descriptor.hpp"
#include "kernels/common/matrix_window.hpp"
#include "metal/linalg/one_by_one.hpp"

namespace mpskit::metal {

// encode(index) for each matrix that a window is of; MPS has no empty work.
template <class F>
void each_matrix(const linalg::Window& w, F&& encode) {
  if (w.rows == 0 || w.columns == 0) return;
  each_matrix(w.matrices, encode);
}

// For kernels whose sums over no rows are zeros, which MPS would not write.
inline std::optional<std::string> refuses_no_rows(const linalg::Window& w) {
  if (w.rows > 0 || w.columns == 0 || w.matrices.count == 0) return std::nullopt;
  return std::string("source has no rows; allowed: one or more on Metal. Pass device=\"cpu\".");
}

template <class Filter>
void set_neuron(Filter filter, const cnn::Neuron& n) {
  [filter setNeuronType:static_cast<MPSCNNNeuronType>(n.type) parameterA:n.a parameterB:n.b parameterC:n.c];
}
template <class Filter>
void set_neuron_or_slopes(Filter filter, const cnn::Neuron& n) {
  if (n.type != cnn::NeuronType::prelu) return set_neuron(filter, n);
  [filter setNeuronToPReLUWithParametersA:[NSData dataWithBytes:n.slopes.data() length:n.slopes.size_bytes()]];
}
template <class Filter>
void set_features(Filter filter, const linalg::Window& w) {
  filter.sourceNumberOfFeatureVectors = count_of(w.rows);
  filter.sourceInputFeatureChannels = count_of(w.columns);
}

// Operands of one encode as MPS' network kernels are known to take them: float32. A float16 window goes through a copy, which
// begins at its own origin; what is written comes back in finish().
class Staged {
 public:
  explicit Staged(Encoder& e) : e_(e) {}
  static MTLOrigin origin(const Layout& l, const Origin& o) { return l.dtype == DType::f16 ? MTLOriginMake(0, 0, 0) : to_mtl(o); }

  MPSMatrix* read(const Operand& o, std::int64_t matrix, const Origin& origin, std::int64_t rows, std::int64_t columns) {
    if (o.layout.dtype != DType::f16) return e_.matrix(o, matrix, 1);
    const Rows copy = Rows::scratch(e_, 1, rows, columns);
    combine(e_, window(o, matrix, origin, rows, columns), copy);
    return as_matrix(copy);
  }
  MPSMatrix* write(const Operand& o, std::int64_t matrix, const Origin& origin, std::int64_t rows, std::int64_t columns) {
    if (o.layout.dtype != DType::f16) return e_.matrix(o, matrix, 1);
    written_.push_back({Rows::scratch(e_, 1, rows, columns), window(o, matrix, origin, rows, columns)});
    return as_matrix(written_.back().copy);
  }
  // One vector serves all matrices, or each has its own; nil for an absent one.
  MPSVector* read_vector(const Operand& v, std::int64_t matrix, std::int64_t length) {
    if (linalg::is_absent(v.layout)) return nil;
    if (v.layout.dtype != DType::f16) return e_.vector(v, index_of(v, matrix), 1);
    const Rows copy = Rows::scratch(e_, 1, 1, length);
    combine(e_, Rows::of(e_, v, index_of(v, matrix), length), copy);
    return as_vector(copy);
  }
  MPSVector* write_vector(const Operand& v, std::int64_t matrix, std::int64_t length) {
    if (v.layout.dtype != DType::f16) return e_.vector(v, index_of(v, matrix), 1);
    written_.push_back({Rows::scratch(e_, 1, 1, length), Rows::of(e_, v, index_of(v, matrix), length)});
    return as_vector(written_.back().copy);
  }
  void finish() {
    for (const Written& w : written_) combine(e_, w.copy, w.target);
    written_.clear();
  }

 private:
  struct Written {
    Rows copy, target;
  };
  static std::int64_t index_of(const Operand& v, std::int64_t matrix) { return v.layout.vectors() == 1 ? 0 : matrix; }
  Rows window(const Operand& o, std::int64_t matrix, const Origin& origin, std::int64_t rows, std::int64_t columns) {
    return Rows::of(e_, o).matrix(matrix).window(origin, rows, columns);
  }
  MPSMatrix* as_matrix(const Rows& r) { return [r.steps(e_) objectAtIndex:0]; }
  MPSVector* as_vector(const Rows& r) {
    MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:count_of(r.columns) dataType:MPSDataTypeFloat32];
    return e_.keep(adopt([[MPSVector alloc] initWithBuffer:r.buffer offset:r.offset descriptor:d]));
  }

  Encoder& e_;
  std::vector<Written> written_;
};

}  // namespace mpskit::metal
