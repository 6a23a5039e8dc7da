#pragma once
#include <array>
#include <limits>
#include <span>

#include "kernels/common/matrix_kernel.hpp"

// Kernels that read a window of each matrix of a batch and write one of the same rows.
namespace mpskit::linalg {

inline constexpr DTypes float_dtypes{DType::f32, DType::f16};
inline constexpr Range finite_range{.min = std::numeric_limits<float>::lowest(), .max = std::numeric_limits<float>::max()};

struct Window {
  std::int64_t rows, columns;
  Batch matrices;
};
// The two fields that size a window, as the kernel calls them; unset means all from the origin on.
struct Sizes {
  std::string_view rows_field, columns_field;
  std::optional<std::int64_t> rows, columns;
};
// The size that a field asks for, all that is held when it does not.
std::int64_t part_of(std::string_view kernel, std::string_view field, std::optional<std::int64_t> wanted, std::string_view operand, std::int64_t held);
// What a kernel of one source reads. `out` null: a result is still to be made; it has the window's rows, and its columns unless told.
Window window_of(std::string_view kernel, const UnaryKernel& k, const Sizes& sizes, const Layout& source, const Layout* out,
                 std::optional<std::int64_t> result_columns = {});
// The same of two sources of equal windows.
struct Pair {
  std::string_view primary_name, secondary_name;
  const Layout &primary, &secondary;
};
Window window_of(std::string_view kernel, const BinaryKernel& k, const Sizes& sizes, const Pair& sources, const Layout* out);
Layout result_of(const Window& w, const Origin& origin, DType dtype, std::int64_t matrices);
bool leaves_a_part(const Layout& out, const Origin& origin, const Sizes& sizes, std::int64_t batch_start, const std::optional<std::int64_t>& batch_size);

void require_same_dtype(std::string_view kernel, std::string_view first, const Layout& a, std::string_view second, const Layout& b);
// A number for each column: as many as there are, or more where a window of them is meant; one vector for all matrices or one for
// each. Nothing to check for an absent one.
void require_vector(std::string_view kernel, std::string_view name, const Layout& v, std::int64_t length, bool is_window, std::int64_t matrices);
// The same of a vector that is written: one for each matrix.
void require_own_vector(std::string_view kernel, std::string_view name, const Layout& v, std::int64_t length, bool is_window, std::int64_t matrices);
// An optional input that is left out.
inline bool is_absent(const Layout& l) { return l == Layout{}; }
// What inputs hold at an index, absent when there are fewer.
Layout input_at(std::span<const Layout> inputs, std::size_t index);

// alpha and beta have the result's dtype; what is too large for it becomes its largest number.
float in_precision_of(DType result, float v);
double in_precision_of(DType result, double v);

// Kernels whose window is source_rows x source_columns; as a rule the result has one of that size.
struct RowsKernel : UnaryKernel {
  std::optional<std::int64_t> source_rows, source_columns;
  bool operator==(const RowsKernel&) const = default;

  static constexpr auto rows_fields = std::tuple_cat(
      std::tuple{Field{"source_rows", &RowsKernel::source_rows, element_count, "rows", "Rows that are read; None is all from the origin."},
                 Field{"source_columns", &RowsKernel::source_columns, element_count, "columns", "Columns that are read; None is all from the origin."}},
      unary_fields);
  Sizes sizes() const { return {"source_rows", "source_columns", source_rows, source_columns}; }
  void require_rows(std::string_view kernel) const;
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(out[0], result_matrix_origin, sizes(), batch_start, batch_size); }
};
struct RowsGradientKernel : BinaryKernel {
  std::optional<std::int64_t> source_rows, source_columns;
  bool operator==(const RowsGradientKernel&) const = default;

  static constexpr auto rows_fields = std::tuple_cat(
      std::tuple{Field{"source_rows", &RowsGradientKernel::source_rows, element_count, "rows", "Rows that are read; None is all from the origins."},
                 Field{"source_columns", &RowsGradientKernel::source_columns, element_count, "columns", "Columns that are read; None is all from the origins."}},
      binary_fields);
  Sizes sizes() const { return {"source_rows", "source_columns", source_rows, source_columns}; }
  void require_rows(std::string_view kernel) const;
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(out[0], result_matrix_origin, sizes(), batch_start, batch_size); }
};

// The same with another count: what a class says of calls that depend on its parameters, and what such a call has.
constexpr OperandSpec with_count(OperandSpec spec, Count count) {
  spec.count = count;
  return spec;
}

inline constexpr OperandSpec source_matrix{"source", Role::input, Kind::matrix, float_dtypes, "Shape (rows, columns) or (matrices, rows, columns)."};
inline constexpr OperandSpec result_matrix{"out", Role::output, Kind::matrix, float_dtypes, "Where the result goes, of the source's dtype; made when omitted."};

}  // namespace mpskit::linalg
