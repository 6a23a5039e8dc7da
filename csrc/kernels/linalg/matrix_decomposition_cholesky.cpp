#include "kernels/linalg/matrix_decomposition_cholesky.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {
namespace {
}

void MatrixDecompositionCholesky::validate() const {
  require_origins(MatrixDecompositionCholesky::info.name, {{"source", "source_matrix_origin", nullptr, source_matrix_origin}, {"result", "result_matrix_origin", nullptr, result_matrix_origin}});
}

MatrixDecompositionCholesky::Problem MatrixDecompositionCholesky::problem(const Layout& source, const Layout* result, const Layout* status) const {
  const Placed from{"source", "source_matrix_origin", &source, source_matrix_origin}, to{"result", "result_matrix_origin", result, result_matrix_origin};
  const Batch batch = batch_of(MatrixDecompositionCholesky::info.name, batch_start, batch_size, {from, to});
  const Extent held = from_origin(MatrixDecompositionCholesky::info.name, from);
  if (!order && held.rows != held.columns)
    throw ValueError(cat(MatrixDecompositionCholesky::info.name, ": source is (", held.rows, ", ", held.columns, ") from its origin; allowed: a square matrix. Pass order to factor a part of it."));
  const std::int64_t n = order.value_or(held.rows);
  require_extent(MatrixDecompositionCholesky::info.name, from, {n, n}, true, "order");
  if (result) require_extent(MatrixDecompositionCholesky::info.name, to, {n, n}, order.has_value(), "order");
  if (status) require_status(MatrixDecompositionCholesky::info.name, *status, source.matrices());
  return {n, batch};
}

Layouts MatrixDecompositionCholesky::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(MatrixDecompositionCholesky::info.name, hints, DType::f32);
  const std::int64_t n = problem(in[0], nullptr, nullptr).order;
  return {Layout::matrix(DType::f32, result_matrix_origin.x + n, result_matrix_origin.y + n, in[0].matrices()), status_layout(in[0].matrices())};
}

}  // namespace mpskit::linalg
