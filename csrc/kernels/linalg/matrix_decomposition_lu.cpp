#include "kernels/linalg/matrix_decomposition_lu.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {
namespace {
}

void MatrixDecompositionLU::validate() const {
  require_origins(MatrixDecompositionLU::info.name, {{"source", "source_matrix_origin", nullptr, source_matrix_origin}, {"result", "result_matrix_origin", nullptr, result_matrix_origin}});
}

MatrixDecompositionLU::Problem MatrixDecompositionLU::problem(const Layout& source, const Layout* result, const Layout* pivots, const Layout* status) const {
  const Placed from{"source", "source_matrix_origin", &source, source_matrix_origin}, to{"result", "result_matrix_origin", result, result_matrix_origin};
  const Placed indices{"pivot_indices", "", pivots};
  const Batch batch = batch_of(MatrixDecompositionLU::info.name, batch_start, batch_size, {from, to, indices});
  const Extent held = from_origin(MatrixDecompositionLU::info.name, from), e{rows.value_or(held.rows), columns.value_or(held.columns)};
  const bool is_window = rows && columns;
  const std::int64_t count = std::min(e.rows, e.columns);
  require_extent(MatrixDecompositionLU::info.name, from, e, true, "rows or columns");
  if (result) require_extent(MatrixDecompositionLU::info.name, to, e, is_window, "rows and columns");
  if (pivots) require_extent(MatrixDecompositionLU::info.name, indices, {count, 1}, is_window, "rows and columns");
  if (status) require_status(MatrixDecompositionLU::info.name, *status, source.matrices());
  return {e, count, batch};
}

Layouts MatrixDecompositionLU::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(MatrixDecompositionLU::info.name, hints, DType::f32);
  const Problem p = problem(in[0], nullptr, nullptr, nullptr);
  const std::int64_t matrices = in[0].matrices();
  return {Layout::matrix(DType::f32, result_matrix_origin.x + p.extent.rows, result_matrix_origin.y + p.extent.columns, matrices),
          Layout::vector(DType::u32, p.pivots, matrices), status_layout(matrices)};
}

bool MatrixDecompositionLU::reads_outputs(std::span<const Layout> out) const {
  const Layout& result = out[0];
  const Extent e{rows.value_or(result.rows()), columns.value_or(result.columns())};
  return is_partial(result, result_matrix_origin, e, {batch_start, batch_size.value_or(result.matrices() - batch_start)}) ||
         out[1].length() > std::min(e.rows, e.columns);
}

}  // namespace mpskit::linalg
