#include "kernels/common/matrix_solve.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void require_solve_origins(std::string_view kernel, const BinaryKernel& k) {
  require_origins(kernel, {{"source", "primary_source_matrix_origin", nullptr, k.primary_source_matrix_origin},
                           {"right_hand_side", "secondary_source_matrix_origin", nullptr, k.secondary_source_matrix_origin},
                           {"solution", "result_matrix_origin", nullptr, k.result_matrix_origin}});
}

Solve solve_problem(std::string_view kernel, const BinaryKernel& k, const SolveSizes& sizes, bool is_right, const Layout& a, const Layout& b, const Layout* x) {
  const Placed source{"source", "primary_source_matrix_origin", &a, k.primary_source_matrix_origin};
  const Placed right{"right_hand_side", "secondary_source_matrix_origin", &b, k.secondary_source_matrix_origin};
  const Placed out{"solution", "result_matrix_origin", x, k.result_matrix_origin};
  const Batch batch = batch_of(kernel, k.batch_start, k.batch_size, {source, right, out});
  const Extent held = from_origin(kernel, source), given = from_origin(kernel, right);
  if (!sizes.order && held.rows != held.columns)
    throw ValueError(cat(kernel, ": source is (", held.rows, ", ", held.columns, ") from its origin; allowed: a square matrix. Pass order to use a part of it."));
  const std::int64_t n = sizes.order.value_or(held.rows), columns = sizes.right_hand_sides.value_or(is_right ? given.rows : given.columns);
  const Extent extent = is_right ? Extent{columns, n} : Extent{n, columns};
  require_extent(kernel, source, {n, n}, true, "order");
  if (const std::int64_t equations = is_right ? given.columns : given.rows; !sizes.order && equations != n)
    throw ValueError(cat(kernel, ": source has order ", n, ", right_hand_side is (", given.rows, ", ", given.columns, ") from its origin; ",
                         is_right ? "columns" : "rows", " of right_hand_side must equal the order. Pass a right_hand_side of shape ",
                         is_right ? "(right-hand sides, order)." : "(order, right-hand sides)."));
  require_extent(kernel, right, extent, true, "order or number_of_right_hand_sides");
  // A larger solution is a window, which must be meant: order and number_of_right_hand_sides say so.
  if (x) require_extent(kernel, out, extent, sizes.order.has_value() && sizes.right_hand_sides.has_value(), "order and number_of_right_hand_sides");
  return {n, columns, extent, batch};
}

Layouts infer_solution(std::string_view kernel, const BinaryKernel& k, const Solve& s, const Layout& b, const OutputHints& hints) {
  require_hints(kernel, hints, DType::f32);
  return {Layout::matrix(DType::f32, k.result_matrix_origin.x + s.extent.rows, k.result_matrix_origin.y + s.extent.columns, b.matrices())};
}

bool keeps_a_part(const BinaryKernel& k, const SolveSizes& sizes, bool is_right, const Layout& x) {
  const std::int64_t n = sizes.order.value_or(is_right ? x.columns() : x.rows()), columns = sizes.right_hand_sides.value_or(is_right ? x.rows() : x.columns());
  return is_partial(x, k.result_matrix_origin, is_right ? Extent{columns, n} : Extent{n, columns}, {k.batch_start, k.batch_size.value_or(x.matrices() - k.batch_start)});
}

}  // namespace mpskit::linalg
