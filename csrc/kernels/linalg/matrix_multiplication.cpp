#include "kernels/linalg/matrix_multiplication.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {
namespace {

// What op(matrix) holds from the origin on.
Extent from_origin(std::string_view operand, std::string_view origin_name, const Layout& m, const Origin& origin, bool transpose) {
  const Extent e = linalg::from_origin(MatrixMultiplication::info.name, {operand, origin_name, &m, origin});
  return transpose ? Extent{e.columns, e.rows} : e;
}

DType natural_result(DType left, DType right) { return left == right && (left == DType::f16 || left == DType::f64) ? left : DType::f32; }

bool has_product(DType left, DType right, DType out) {
  if (left != right) return left == DType::f32 && right == DType::f16 && out == DType::f32;
  if (left == DType::f64 || out == DType::f64) return left == out;
  return out == DType::f32 || (out == DType::f16 && (left == DType::f16 || left == DType::i8));
}

void check_dtypes(DType left, DType right, DType out) {
  if (has_product(left, right, out)) return;
  const DType wide = left == DType::f64 ? DType::f64 : DType::f32;
  const bool factors = has_product(left, right, wide);
  throw TypeError(cat(MatrixMultiplication::info.name, ": left is ", name_of(left), ", right is ", name_of(right), ", out is ", name_of(out), "; allowed: ",
                      factors ? cat("out ", name_of(wide), has_product(left, right, DType::f16) ? " or float16" : "")
                              : "equal dtypes, or left float32 with right float16",
                      ". ", factors ? cat("Pass dtype=\"", name_of(wide), "\" or such an out.") : "Convert one with astype()."));
}

}  // namespace

void MatrixMultiplication::validate() const {
  require_origins(MatrixMultiplication::info.name, {{"left", "left_matrix_origin", nullptr, left_matrix_origin},
                         {"right", "right_matrix_origin", nullptr, right_matrix_origin},
                         {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}

MatrixMultiplication::Product MatrixMultiplication::product(const Layout& left, const Layout& right, const Layout* out) const {
  const DType result = out ? out->dtype : natural_result(left.dtype, right.dtype);
  check_dtypes(left.dtype, right.dtype, result);
  const Batch batch = batch_of(MatrixMultiplication::info.name, batch_start, batch_size, {{"left", "", &left}, {"right", "", &right}, {"out", "", out}});
  const Extent l = from_origin("left", "left_matrix_origin", left, left_matrix_origin, transpose_left);
  const Extent r = from_origin("right", "right_matrix_origin", right, right_matrix_origin, transpose_right);

  Product p{};
  p.rows = result_rows.value_or(l.rows);
  p.columns = result_columns.value_or(r.columns);
  p.interior = interior_columns.value_or(l.columns);
  if (!interior_columns && l.columns != r.rows)
    throw ValueError(cat(MatrixMultiplication::info.name, ": op(left) is (", l.rows, ", ", l.columns, ") and op(right) is (", r.rows, ", ", r.columns,
                         ") from their origins; columns of op(left) must equal rows of op(right). ",
                         l.columns == r.columns ? (transpose_right ? "Pass transpose_right=False." : "Pass transpose_right=True for left @ right.T.")
                         : l.rows == r.rows     ? (transpose_left ? "Pass transpose_left=False." : "Pass transpose_left=True for left.T @ right.")
                                                : "Pass interior_columns to use a part of them."));
  part_of(MatrixMultiplication::info.name, "result_rows", p.rows, "op(left)", l.rows);
  part_of(MatrixMultiplication::info.name, "result_columns", p.columns, "op(right)", r.columns);
  part_of(MatrixMultiplication::info.name, "interior_columns", p.interior, "op(left)", l.columns);
  part_of(MatrixMultiplication::info.name, "interior_columns", p.interior, "op(right)", r.rows);
  if (out) {
    const Extent c = from_origin("out", "result_matrix_origin", *out, result_matrix_origin, false);
    // A larger out is a window, which must be meant: a forgotten axis would otherwise leave rows of it unwritten.
    const bool rows_fit = result_rows ? c.rows >= p.rows : c.rows == p.rows;
    const bool columns_fit = result_columns ? c.columns >= p.columns : c.columns == p.columns;
    if (!rows_fit || !columns_fit)
      throw ValueError(cat(MatrixMultiplication::info.name, ": out is (", c.rows, ", ", c.columns, ") from result_matrix_origin, the result is (", p.rows, ", ", p.columns,
                           "); allowed: the same shape, or a larger out when result_rows and result_columns say which part of it is written."));
  }
  p.first = batch.first;
  p.count = batch.count;
  p.alpha = in_precision_of(result, alpha);
  p.beta = in_precision_of(result, beta);
  return p;
}

Layouts MatrixMultiplication::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.channels)
    throw ValueError(cat(MatrixMultiplication::info.name, ": channels is ", *hints.channels, "; allowed: none, a matrix has no channels. Leave it out."));
  if (beta != 0)
    throw ValueError(cat(MatrixMultiplication::info.name, ": beta is ", beta, " and out is missing; allowed: an out to add to, or beta = 0. Pass out=, the matrix that is scaled by beta."));
  const DType result = hints.dtype.value_or(natural_result(in[0].dtype, in[1].dtype));
  if (!operands[2].dtypes.contains(result))
    throw TypeError(cat(MatrixMultiplication::info.name, ": dtype is ", name_of(result), "; allowed: float16, float32, float64. Convert the result with astype()."));
  check_dtypes(in[0].dtype, in[1].dtype, result);
  const Product p = product(in[0], in[1], nullptr);
  return {Layout::matrix(result, result_matrix_origin.x + p.rows, result_matrix_origin.y + p.columns, in[0].matrices())};
}

bool MatrixMultiplication::reads_outputs(std::span<const Layout> out) const {
  const Layout& c = out[0];
  const bool covers = result_matrix_origin == Origin{} && result_rows.value_or(c.rows()) == c.rows() &&
                      result_columns.value_or(c.columns()) == c.columns() && batch_start == 0 &&
                      batch_size.value_or(c.matrices()) == c.matrices();
  return beta != 0 || !covers;
}

}  // namespace mpskit::linalg
