#include "kernels/linalg/matrix_vector_multiplication.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {
namespace {

void check_vector_dtypes(DType matrix, DType vector, DType out) {
  const DType wide = matrix == DType::f64 ? DType::f64 : DType::f32;
  if (matrix == vector && (out == wide || (out == DType::f16 && matrix == DType::f16))) return;
  const bool equal = matrix == vector;
  throw TypeError(cat(MatrixVectorMultiplication::info.name, ": matrix is ", name_of(matrix), ", vector is ", name_of(vector), ", out is ", name_of(out), "; allowed: ",
                      equal ? cat("out ", name_of(wide)) : "matrix and vector of one dtype", ". ", equal ? "Pass such an out." : "Convert one with astype()."));
}

}  // namespace

void MatrixVectorMultiplication::validate() const {
  const Placed origins[]{{"matrix", "primary_source_matrix_origin", nullptr, primary_source_matrix_origin},
                         {"vector", "secondary_source_matrix_origin", nullptr, secondary_source_matrix_origin},
                         {"out", "result_matrix_origin", nullptr, result_matrix_origin}};
  require_origins(MatrixVectorMultiplication::info.name, {origins[0], origins[1], origins[2]});
  for (const Placed& o : {origins[1], origins[2]})
    if (o.origin.y != 0)
      throw ValueError(cat(MatrixVectorMultiplication::info.name, ": ", o.origin_name, " is (", o.origin.x, ", ", o.origin.y, "); allowed: (element, 0), as ", o.name, " is a vector. Pass (", o.origin.x, ", 0)."));
}

MatrixVectorMultiplication::Product MatrixVectorMultiplication::product(const Layout& matrix, const Layout& vector, const Layout* out) const {
  const Placed a{"matrix", "primary_source_matrix_origin", &matrix, primary_source_matrix_origin};
  const Placed x{"vector", "secondary_source_matrix_origin", &vector, secondary_source_matrix_origin};
  const Placed y{"out", "result_matrix_origin", out, result_matrix_origin};
  const DType result = out ? out->dtype : matrix.dtype;
  check_vector_dtypes(matrix.dtype, vector.dtype, result);
  const Batch batch = batch_of(MatrixVectorMultiplication::info.name, batch_start, batch_size, {a, x, y});
  Extent held = from_origin(MatrixVectorMultiplication::info.name, a);
  if (transpose) std::swap(held.rows, held.columns);
  const std::int64_t length = from_origin(MatrixVectorMultiplication::info.name, x).rows, m = rows.value_or(held.rows), n = columns.value_or(held.columns);
  if (!columns && length != n)
    throw ValueError(cat(MatrixVectorMultiplication::info.name, ": op(matrix) is (", held.rows, ", ", held.columns, ") and vector has ", length, " elements from their origins; allowed: ", n, " elements. ",
                         length == held.rows ? (transpose ? "Pass transpose=False." : "Pass transpose=True for matrix.T @ vector.") : "Pass columns to use a part of them."));
  require_extent(MatrixVectorMultiplication::info.name, a, transpose ? Extent{n, m} : Extent{m, n}, true, "rows or columns");
  require_extent(MatrixVectorMultiplication::info.name, x, {n, 1}, true, "columns");
  if (out) require_extent(MatrixVectorMultiplication::info.name, y, {m, 1}, rows.has_value(), "rows");
  return {m, n, batch, in_precision_of(result, alpha), in_precision_of(result, beta)};
}

Layouts MatrixVectorMultiplication::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.channels) require_hints(MatrixVectorMultiplication::info.name, hints, DType::f32);
  if (beta != 0)
    throw ValueError(cat(MatrixVectorMultiplication::info.name, ": beta is ", beta, " and out is missing; allowed: an out to add to, or beta = 0. Pass out=, the vector that is scaled by beta."));
  const DType result = hints.dtype.value_or(in[0].dtype);
  if (!dtypes.contains(result)) throw TypeError(cat(MatrixVectorMultiplication::info.name, ": dtype is ", name_of(result), "; allowed: float16, float32, float64. Convert the result with astype()."));
  check_vector_dtypes(in[0].dtype, in[1].dtype, result);
  return {Layout::vector(result, result_matrix_origin.x + product(in[0], in[1], nullptr).rows, in[0].matrices())};
}

bool MatrixVectorMultiplication::reads_outputs(std::span<const Layout> out) const {
  const Layout& y = out[0];
  return beta != 0 || is_partial(y, result_matrix_origin, {rows.value_or(y.length()), 1}, {batch_start, batch_size.value_or(y.vectors() - batch_start)});
}

}  // namespace mpskit::linalg
