#include "kernels/common/matrix_window.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

std::int64_t part_of(std::string_view kernel, std::string_view field, std::optional<std::int64_t> wanted, std::string_view operand, std::int64_t held) {
  if (wanted && *wanted > held)
    throw ValueError(cat(kernel, ": ", field, " is ", *wanted, ", ", operand, " has ", held, " from its origin; allowed: at most ", held,
                         ". Pass a smaller ", field, " or None."));
  return wanted.value_or(held);
}

namespace {

void require_result(std::string_view kernel, const Placed& out, const Window& w, const Sizes& sizes, std::optional<std::int64_t> columns) {
  if (out.layout)
    require_extent(kernel, out, {w.rows, columns.value_or(w.columns)}, sizes.rows.has_value() || sizes.columns.has_value(), cat(sizes.rows_field, " or ", sizes.columns_field));
}

}  // namespace

Window window_of(std::string_view kernel, const UnaryKernel& k, const Sizes& sizes, const Layout& source, const Layout* out,
                 std::optional<std::int64_t> result_columns) {
  const Placed src{"source", "source_matrix_origin", &source, k.source_matrix_origin}, dst{"out", "result_matrix_origin", out, k.result_matrix_origin};
  const Extent held = from_origin(kernel, src);
  const Window w{part_of(kernel, sizes.rows_field, sizes.rows, src.name, held.rows), part_of(kernel, sizes.columns_field, sizes.columns, src.name, held.columns),
                 batch_of(kernel, k.batch_start, k.batch_size, {src, dst})};
  require_result(kernel, dst, w, sizes, result_columns);
  return w;
}

Window window_of(std::string_view kernel, const BinaryKernel& k, const Sizes& sizes, const Pair& s, const Layout* out) {
  const Placed first{s.primary_name, "primary_source_matrix_origin", &s.primary, k.primary_source_matrix_origin};
  const Placed second{s.secondary_name, "secondary_source_matrix_origin", &s.secondary, k.secondary_source_matrix_origin};
  const Placed dst{"out", "result_matrix_origin", out, k.result_matrix_origin};
  const Extent a = from_origin(kernel, first), b = from_origin(kernel, second);
  if ((!sizes.rows && a.rows != b.rows) || (!sizes.columns && a.columns != b.columns))
    throw ValueError(cat(kernel, ": ", first.name, " is (", a.rows, ", ", a.columns, ") and ", second.name, " is (", b.rows, ", ", b.columns,
                         ") from their origins; allowed: the same shape. Pass ", sizes.rows_field, " and ", sizes.columns_field, " to use a part of them."));
  const auto part = [&](std::string_view field, std::optional<std::int64_t> wanted, std::int64_t in_first, std::int64_t in_second) {
    part_of(kernel, field, wanted, first.name, in_first);
    return part_of(kernel, field, wanted, second.name, in_second);
  };
  const Window w{part(sizes.rows_field, sizes.rows, a.rows, b.rows), part(sizes.columns_field, sizes.columns, a.columns, b.columns),
                 batch_of(kernel, k.batch_start, k.batch_size, {first, second, dst})};
  require_result(kernel, dst, w, sizes, {});
  return w;
}

Layout result_of(const Window& w, const Origin& origin, DType dtype, std::int64_t matrices) {
  return Layout::matrix(dtype, origin.x + w.rows, origin.y + w.columns, matrices);
}

bool leaves_a_part(const Layout& out, const Origin& origin, const Sizes& sizes, std::int64_t batch_start, const std::optional<std::int64_t>& batch_size) {
  return is_partial(out, origin, {sizes.rows.value_or(out.rows()), sizes.columns.value_or(out.columns())}, {batch_start, batch_size.value_or(out.matrices() - batch_start)});
}

void require_same_dtype(std::string_view kernel, std::string_view first, const Layout& a, std::string_view second, const Layout& b) {
  if (a.dtype != b.dtype)
    throw TypeError(cat(kernel, ": ", first, " is ", name_of(a.dtype), ", ", second, " is ", name_of(b.dtype), "; allowed: equal dtypes. Convert one with astype()."));
}

void require_vector(std::string_view kernel, std::string_view name, const Layout& v, std::int64_t length, bool is_window, std::int64_t matrices) {
  if (is_absent(v)) return;
  if (is_window ? v.length() < length : v.length() != length)
    throw ValueError(cat(kernel, ": ", name, " has ", v.length(), " elements; allowed: ", is_window ? "at least " : "", length,
                         ", one for each column. Pass as many."));
  if (v.vectors() != 1 && v.vectors() != matrices)
    throw ValueError(cat(kernel, ": ", name, " has ", v.vectors(), " vectors; allowed: one, or ", matrices, ", one for each matrix. Pass as many."));
}

void require_own_vector(std::string_view kernel, std::string_view name, const Layout& v, std::int64_t length, bool is_window, std::int64_t matrices) {
  require_vector(kernel, name, v, length, is_window, matrices);
  if (v.vectors() != matrices)
    throw ValueError(cat(kernel, ": ", name, " has ", v.vectors(), " vectors; allowed: ", matrices, ", one for each matrix. Pass as many."));
}

Layout input_at(std::span<const Layout> inputs, std::size_t index) { return index < inputs.size() ? inputs[index] : Layout{}; }

float in_precision_of(DType result, float v) {
  if (result != DType::f16) return v;
  return half_to_float(float_to_half(std::clamp(v, -65504.0f, 65504.0f)));
}

double in_precision_of(DType result, double v) { return result == DType::f64 ? v : in_precision_of(result, static_cast<float>(v)); }

void RowsKernel::require_rows(std::string_view kernel) const {
  require_origins(kernel, {{"source", "source_matrix_origin", nullptr, source_matrix_origin}, {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}
void RowsGradientKernel::require_rows(std::string_view kernel) const {
  require_origins(kernel, {{"", "primary_source_matrix_origin", nullptr, primary_source_matrix_origin},
                           {"", "secondary_source_matrix_origin", nullptr, secondary_source_matrix_origin},
                           {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}

}  // namespace mpskit::linalg
