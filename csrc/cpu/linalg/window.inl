#pragma once
// Windows of batches of matrices of float32 or float16, row by row.
#include "cpu/simd/pixels.inl"
#include "kernels/common/matrix_window.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Where the rows of a window lie in an operand.
class WindowPlace {
 public:
  WindowPlace() = default;
  WindowPlace(const Layout& l, const Origin& origin, const linalg::Batch& matrices)
      : begin_(matrices.first * l.matrix_bytes() + origin.x * l.row_bytes() + origin.y * l.element_bytes()), matrix_bytes_(l.matrix_bytes()), row_bytes_(l.row_bytes()) {}
  template <class T = std::byte>
  T* row(const View& v, std::int64_t matrix, std::int64_t row) const {
    return reinterpret_cast<T*>(v.data + begin_ + matrix * matrix_bytes_ + row * row_bytes_);
  }
  std::int64_t row_bytes() const { return row_bytes_; }

 private:
  std::int64_t begin_ = 0, matrix_bytes_ = 0, row_bytes_ = 0;
};

// f(T{}) with the element type of a matrix of floats.
template <class F>
MPSKIT_INLINE void visit_floats(DType t, F&& f) {
  if (t == DType::f16) f(Float16{});
  else f(float{});
}

// Rows that are worth a task: some 20 us at a few elements a nanosecond.
inline std::int64_t rows_a_task(std::int64_t columns, std::int64_t elements = 32768) { return std::max<std::int64_t>(1, elements / std::max<std::int64_t>(columns, 1)); }

// body(matrix, row) for all rows of a window, numbered within it, in parallel.
template <class F>
void each_row(const linalg::Window& w, F&& body, std::int64_t elements_a_task = 32768) {
  if (w.rows == 0 || w.columns == 0) return;
  parallel_for(w.matrices.count * w.rows, rows_a_task(w.columns, elements_a_task), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) body(r / w.rows, r % w.rows);
  });
}

}  // namespace mpskit::cpu::MPSKIT_ISA
