#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <tuple>

#include "core/geometry.hpp"
#include "core/kernel.hpp"

namespace mpskit::linalg {

inline constexpr Range element_count{.min = 0, .max = 2147483647};
inline constexpr Range matrix_count{.min = 1, .max = 2147483647};

// What kernels of one matrix have (MPSMatrixUnaryKernel). x of an origin is the row, y the column.
struct UnaryKernel {
  Origin source_matrix_origin, result_matrix_origin;
  std::int64_t batch_start = 0;
  std::optional<std::int64_t> batch_size;
  bool operator==(const UnaryKernel&) const = default;

  static constexpr std::tuple unary_fields{
      Field{"source_matrix_origin", &UnaryKernel::source_matrix_origin, Range{}, "", "First (row, column) read from source."},
      Field{"result_matrix_origin", &UnaryKernel::result_matrix_origin, Range{}, "", "First (row, column) written in the result."},
      Field{"batch_start", &UnaryKernel::batch_start, element_count, "matrices", "First matrix of the batch that is worked on."},
      Field{"batch_size", &UnaryKernel::batch_size, matrix_count, "matrices", "How many matrices are worked on; None is all from batch_start."}};
};

// What kernels of two matrices, or a matrix and a vector, have (MPSMatrixBinaryKernel).
struct BinaryKernel {
  Origin primary_source_matrix_origin, secondary_source_matrix_origin, result_matrix_origin;
  std::int64_t batch_start = 0;
  std::optional<std::int64_t> batch_size;
  bool operator==(const BinaryKernel&) const = default;

  static constexpr std::tuple binary_fields{
      Field{"primary_source_matrix_origin", &BinaryKernel::primary_source_matrix_origin, Range{}, "", "First (row, column) read from the first operand, as it is stored."},
      Field{"secondary_source_matrix_origin", &BinaryKernel::secondary_source_matrix_origin, Range{}, "", "First (row, column) read from the second operand; of a vector, (element, 0)."},
      Field{"result_matrix_origin", &BinaryKernel::result_matrix_origin, Range{}, "", "First (row, column) written in the result; of a vector, (element, 0)."},
      Field{"batch_start", &BinaryKernel::batch_start, element_count, "matrices", "First matrix of the batch that is worked on."},
      Field{"batch_size", &BinaryKernel::batch_size, matrix_count, "matrices", "How many matrices are worked on; None is all from batch_start."}};
};

// An operand with the words of messages: its name, and that of its origin ("source_matrix_origin").
struct Placed {
  std::string_view name, origin_name;
  const Layout* layout;  // null: not there yet, nothing to check
  Origin origin{};
};

// Matrices of a batch that a call works on.
struct Batch {
  std::int64_t first, count;
};
struct Extent {
  std::int64_t rows, columns;
  bool operator==(const Extent&) const = default;
};

// ValueError unless every origin lies in one plane; of vectors, on one line.
void require_origins(std::string_view kernel, std::initializer_list<Placed> operands);
// ValueError unless all operands have as many matrices or vectors, and the batch lies among them.
Batch batch_of(std::string_view kernel, std::int64_t batch_start, const std::optional<std::int64_t>& batch_size, std::initializer_list<Placed> operands);
// What an operand holds from its origin on; of a vector, as a column.
Extent from_origin(std::string_view kernel, const Placed& operand);
// ValueError unless the operand holds these rows and columns from its origin on: exactly, unless `is_window` says that more is meant.
void require_extent(std::string_view kernel, const Placed& operand, const Extent& wanted, bool is_window, std::string_view fields);
// ValueError or TypeError for what the outputs of matrix kernels do not have: channels, or another dtype than this.
void require_hints(std::string_view kernel, const OutputHints& hints, DType only);
// True when a kernel leaves elements of an output alone: beyond these rows and columns, or outside its batch.
bool is_partial(const Layout& out, const Origin& origin, const Extent& written, const Batch& batch);

}  // namespace mpskit::linalg
