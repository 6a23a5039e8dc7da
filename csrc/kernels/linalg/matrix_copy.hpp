#pragma once
#include <array>
#include <optional>
#include <vector>

#include "kernels/common/array.hpp"
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {

// As MPSMatrixCopyOffsets: source row, source column, destination row, destination column.
using CopyOffsets = std::array<std::int64_t, 4>;

struct MatrixCopy {
  std::optional<std::int64_t> copy_rows, copy_columns;
  bool sources_are_transposed = false, destinations_are_transposed = false;
  std::vector<CopyOffsets> offsets{CopyOffsets{}};
  std::vector<std::int64_t> sources, destinations;
  std::optional<Array> row_permute_indices, column_permute_indices;
  std::int64_t row_permute_offset = 0, column_permute_offset = 0;
  bool operator==(const MatrixCopy&) const = default;

  static constexpr KernelInfo info{
      "MatrixCopy", "Copies blocks between matrices, transposed and permuted if asked.", "MPSMatrixCopy, in MPSMatrixCombination.h",
      "Every copy moves a block of copy_rows x copy_columns. There is one for each item of offsets, (source row, source column, destination row, destination column); "
      "copy i goes from matrix sources[i] of the call to matrix destinations[i] of out, both i when omitted. A transposed side is stored with rows and columns "
      "exchanged; offsets count rows and columns as they are stored. Permutations move what is written, after any transposition: stored row r of a block goes "
      "to row row_permute_indices[row_permute_offset + r] from the destination's offset on, columns likewise. MPSMatrixCopyDescriptor and the index vectors are "
      "parameters here, so that blocks and indices can be checked: they must lie inside, meet no index twice and not overlap. All matrices have one "
      "dtype (float64 on the CPU engine alone); of a batch every matrix is copied alike. What no copy reaches keeps its value; a new out has zeros there."};
  static constexpr std::tuple fields{
      Field{"copy_rows", &MatrixCopy::copy_rows, element_count, "rows", "Rows of each block; None is all of the first source from its offset."},
      Field{"copy_columns", &MatrixCopy::copy_columns, element_count, "columns", "Columns of each block; None is all of the first source from its offset."},
      Field{"sources_are_transposed", &MatrixCopy::sources_are_transposed, Range{}, "", "The sources are stored transposed."},
      Field{"destinations_are_transposed", &MatrixCopy::destinations_are_transposed, Range{}, "", "The destinations are stored transposed."},
      Field{"offsets", &MatrixCopy::offsets, Range{}, "", "A tuple of four numbers for each copy."},
      Field{"sources", &MatrixCopy::sources, Range{}, "", "The source of each copy, counted from 0."},
      Field{"destinations", &MatrixCopy::destinations, Range{}, "", "The destination of each copy, counted from 0."},
      Field{"row_permute_indices", &MatrixCopy::row_permute_indices, Range{}, "", "Where the rows of a block go, uint32."},
      Field{"row_permute_offset", &MatrixCopy::row_permute_offset, element_count, "elements", "The first of row_permute_indices that is used."},
      Field{"column_permute_indices", &MatrixCopy::column_permute_indices, Range{}, "", "Where the columns of a block go, uint32."},
      Field{"column_permute_offset", &MatrixCopy::column_permute_offset, element_count, "elements", "The first of column_permute_indices that is used."}};
  static constexpr DTypes any_dtype{DType::f32, DType::f16, DType::i8, DType::i16, DType::i32, DType::u8, DType::u16, DType::u32, DType::f64};
  static constexpr std::array operands{
      OperandSpec{"source", Role::input, Kind::matrix, any_dtype, "The matrices to copy from, of one dtype, one by one or as a tuple.", Count::many},
      OperandSpec{"out", Role::output, Kind::matrix, any_dtype, "The matrices to copy to, of the sources' dtype; made when omitted, as large as the copies need."}};
  static constexpr std::array tolerances{Tolerance{DType::f32, 0, 0, "elements are copied as they are"}, Tolerance{DType::f16, 0, 0, "elements are copied as they are"},
                                         Tolerance{DType::f64, 0, 0, "elements are copied as they are"}};

  std::size_t source_of(std::size_t copy) const { return sources.empty() ? copy : static_cast<std::size_t>(sources[copy]); }
  std::size_t destination_of(std::size_t copy) const { return destinations.empty() ? copy : static_cast<std::size_t>(destinations[copy]); }
  std::size_t source_count() const;
  std::size_t destination_count() const;

  // A block as it is written: rows x columns of the destination as stored, and the indices that permute them (empty: none).
  struct Block {
    std::int64_t rows, columns;
    bool is_turned;  // its rows are columns of the source
    std::span<const std::uint32_t> row_indices, column_indices;
  };
  Block block(std::span<const Layout> in) const;
  std::vector<OperandSpec> call_operands() const;
  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
  bool reads_outputs(std::span<const Layout>) const { return true; }  // a cover of copies is not worth finding out
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixCopy)
