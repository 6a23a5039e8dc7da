#include "kernels/linalg/matrix_multiplication.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {
namespace {

constexpr std::string_view name = MatrixMultiplication::info.name;

// alpha and beta have the result's dtype; what is too large for it becomes its largest number.
float in_precision_of(DType result, float v) {
  if (result != DType::f16) return v;
  return half_to_float(float_to_half(std::clamp(v, -65504.0f, 65504.0f)));
}

struct Extent {
  std::int64_t rows, columns;
};
// What op(matrix) holds from the origin on.
Extent from_origin(std::string_view operand, const Layout& m, const Origin& origin, bool transpose) {
  if (origin.x > m.rows() || origin.y > m.columns())
    throw ValueError(cat(name, ": ", operand, "_matrix_origin is (", origin.x, ", ", origin.y, ") and ", operand == "result" ? "out" : operand,
                         " is ", m.describe(), "; allowed: an origin inside it. The order is (row, column)."));
  const Extent e{m.rows() - origin.x, m.columns() - origin.y};
  return transpose ? Extent{e.columns, e.rows} : e;
}

void require_size(std::string_view field, std::int64_t wanted, std::string_view what, std::int64_t held) {
  if (wanted > held)
    throw ValueError(cat(name, ": ", field, " is ", wanted, ", ", what, " has ", held, " from its origin; allowed: at most ", held,
                         ". Pass a smaller ", field, " or None."));
}

DType natural_result(DType left, DType right) { return left == DType::f16 && right == DType::f16 ? DType::f16 : DType::f32; }

bool has_product(DType left, DType right, DType out) {
  if (left != right) return left == DType::f32 && right == DType::f16 && out == DType::f32;
  return out == DType::f32 || (out == DType::f16 && (left == DType::f16 || left == DType::i8));
}

void check_dtypes(DType left, DType right, DType out) {
  if (has_product(left, right, out)) return;
  const bool factors = has_product(left, right, DType::f32);
  throw TypeError(cat(name, ": left is ", name_of(left), ", right is ", name_of(right), ", out is ", name_of(out), "; allowed: ",
                      factors ? (has_product(left, right, DType::f16) ? "out float32 or float16" : "out float32")
                              : "equal dtypes, or left float32 with right float16",
                      ". ", factors ? "Pass dtype=\"float32\" or such an out." : "Convert one with astype()."));
}

}  // namespace

void MatrixMultiplication::validate() const {
  const std::tuple<std::string_view, const Origin&> origins[]{{"left", left_matrix_origin}, {"right", right_matrix_origin}, {"result", result_matrix_origin}};
  for (const auto& [operand, origin] : origins)
    if (origin.z != 0)
      throw ValueError(cat(name, ": ", operand, "_matrix_origin has a third number, ", origin.z,
                           "; allowed: (row, column). Choose matrices of a batch with batch_start and batch_size."));
}

MatrixMultiplication::Product MatrixMultiplication::product(const Layout& left, const Layout& right, const Layout* out) const {
  const DType result = out ? out->dtype : natural_result(left.dtype, right.dtype);
  check_dtypes(left.dtype, right.dtype, result);
  const std::int64_t matrices = left.matrices();
  if (right.matrices() != matrices || (out && out->matrices() != matrices))
    throw ValueError(cat(name, ": left has ", matrices, " matrices, right ", right.matrices(), out ? cat(", out ", out->matrices()) : std::string(),
                         "; allowed: the same number, nothing is broadcast. Repeat the smaller batch with numpy.repeat(), or call once a matrix."));
  const Extent l = from_origin("left", left, left_matrix_origin, transpose_left);
  const Extent r = from_origin("right", right, right_matrix_origin, transpose_right);

  Product p{};
  p.rows = result_rows.value_or(l.rows);
  p.columns = result_columns.value_or(r.columns);
  p.interior = interior_columns.value_or(l.columns);
  if (!interior_columns && l.columns != r.rows)
    throw ValueError(cat(name, ": op(left) is (", l.rows, ", ", l.columns, ") and op(right) is (", r.rows, ", ", r.columns,
                         ") from their origins; columns of op(left) must equal rows of op(right). ",
                         l.columns == r.columns ? (transpose_right ? "Pass transpose_right=False." : "Pass transpose_right=True for left @ right.T.")
                         : l.rows == r.rows     ? (transpose_left ? "Pass transpose_left=False." : "Pass transpose_left=True for left.T @ right.")
                                                : "Pass interior_columns to use a part of them."));
  require_size("result_rows", p.rows, "op(left)", l.rows);
  require_size("result_columns", p.columns, "op(right)", r.columns);
  require_size("interior_columns", p.interior, "op(left)", l.columns);
  require_size("interior_columns", p.interior, "op(right)", r.rows);
  if (out) {
    const Extent c = from_origin("result", *out, result_matrix_origin, false);
    // A larger out is a window, which must be meant: a forgotten axis would otherwise leave rows of it unwritten.
    const bool rows_fit = result_rows ? c.rows >= p.rows : c.rows == p.rows;
    const bool columns_fit = result_columns ? c.columns >= p.columns : c.columns == p.columns;
    if (!rows_fit || !columns_fit)
      throw ValueError(cat(name, ": out is (", c.rows, ", ", c.columns, ") from result_matrix_origin, the result is (", p.rows, ", ", p.columns,
                           "); allowed: the same shape, or a larger out when result_rows and result_columns say which part of it is written."));
  }
  if (batch_start > matrices || (batch_size && *batch_size > matrices - batch_start))
    throw ValueError(cat(name, ": batch_start is ", batch_start, ", batch_size is ", batch_size ? std::to_string(*batch_size) : std::string("None"),
                         "; allowed: matrices 0 to ", matrices, " of these operands. Pass a smaller batch."));
  p.first = batch_start;
  p.count = batch_size.value_or(matrices - batch_start);
  p.alpha = in_precision_of(result, alpha);
  p.beta = in_precision_of(result, beta);
  return p;
}

Layouts MatrixMultiplication::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.channels)
    throw ValueError(cat(name, ": channels is ", *hints.channels, "; allowed: none, a matrix has no channels. Leave it out."));
  if (beta != 0)
    throw ValueError(cat(name, ": beta is ", beta, " and out is missing; allowed: an out to add to, or beta = 0. Pass out=, the matrix that is scaled by beta."));
  const DType result = hints.dtype.value_or(natural_result(in[0].dtype, in[1].dtype));
  if (result != DType::f32 && result != DType::f16)
    throw TypeError(cat(name, ": dtype is ", name_of(result), "; allowed: float32, float16. Convert the result with astype()."));
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
