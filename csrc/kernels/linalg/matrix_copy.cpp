#include "kernels/linalg/matrix_copy.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {
namespace {

constexpr std::string_view name = MatrixCopy::info.name;
constexpr std::int64_t most_matrices = 4096;

void require_indices(std::string_view field, const std::optional<Array>& indices) {
  if (!indices) return;
  if (indices->dtype != DType::u32)
    throw TypeError(cat(name, ": ", field, " is ", indices->describe(), "; allowed: uint32. Convert it with astype()."));
  if (indices->shape.size() != 1)
    throw ValueError(cat(name, ": ", field, " is ", indices->describe(), "; allowed: one axis. Reshape it."));
}

std::size_t count_of(std::string_view field, const std::vector<std::int64_t>& given, std::size_t copies) {
  if (given.empty()) return copies;
  if (given.size() != copies)
    throw ValueError(cat(name, ": ", field, " has ", given.size(), " numbers; allowed: ", copies, ", one for each item of offsets. Pass as many."));
  std::int64_t last = 0;
  for (const std::int64_t i : given) {
    if (i < 0 || i >= most_matrices) throw ValueError(cat(name, ": ", field, " has ", i, "; allowed: 0 to ", most_matrices - 1, ". Count the matrices of the call from 0."));
    last = std::max(last, i);
  }
  return static_cast<std::size_t>(last) + 1;
}

std::span<const std::uint32_t> used(std::string_view field, const std::optional<Array>& indices, std::int64_t offset, std::int64_t count) {
  if (!indices) return {};
  if (indices->elements() < offset + count)
    throw ValueError(cat(name, ": ", field, " has ", indices->elements(), " elements; allowed: at least ", offset + count, ", its offset and one for each of a block. Pass as many."));
  return {reinterpret_cast<const std::uint32_t*>(indices->data()) + offset, static_cast<std::size_t>(count)};
}

// Where a block lies along one axis, in ascending order.
std::vector<std::int64_t> places(std::int64_t first, std::int64_t count, std::span<const std::uint32_t> indices) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = first + (indices.empty() ? static_cast<std::int64_t>(i) : std::int64_t{indices[i]});
  std::ranges::sort(at);
  return at;
}
bool meet(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) return true;
    a[i] < b[j] ? ++i : ++j;
  }
  return false;
}

}  // namespace

std::size_t MatrixCopy::source_count() const { return count_of("sources", sources, offsets.size()); }
std::size_t MatrixCopy::destination_count() const { return count_of("destinations", destinations, offsets.size()); }

void MatrixCopy::validate() const {
  if (offsets.empty() || static_cast<std::int64_t>(offsets.size()) > most_matrices)
    throw ValueError(cat(name, ": offsets has ", offsets.size(), " items; allowed: 1 to ", most_matrices, ", one for each copy. Pass them in several calls."));
  for (const CopyOffsets& o : offsets)
    for (const std::int64_t v : o)
      if (v < 0 || v > element_count.max) throw ValueError(cat(name, ": offsets has ", v, "; allowed: 0 to 2147483647. The order is (source row, source column, destination row, destination column)."));
  source_count();
  destination_count();
  require_indices("row_permute_indices", row_permute_indices);
  require_indices("column_permute_indices", column_permute_indices);
}

std::vector<OperandSpec> MatrixCopy::call_operands() const {
  std::vector<OperandSpec> all(source_count(), with_count(operands[0], Count::one));
  all.insert(all.end(), destination_count(), operands[1]);
  return all;
}

MatrixCopy::Block MatrixCopy::block(std::span<const Layout> in) const {
  const CopyOffsets& first = offsets[0];
  const Layout& source = in[source_of(0)];
  const std::int64_t stored_rows = source.rows() - first[0], stored_columns = source.columns() - first[1];
  const std::int64_t rows = copy_rows.value_or(sources_are_transposed ? stored_columns : stored_rows);
  const std::int64_t columns = copy_columns.value_or(sources_are_transposed ? stored_rows : stored_columns);
  Block b{destinations_are_transposed ? columns : rows, destinations_are_transposed ? rows : columns, sources_are_transposed != destinations_are_transposed, {}, {}};
  if (b.rows < 0 || b.columns < 0)
    throw ValueError(cat(name, ": copy 0 begins at (", first[0], ", ", first[1], ") and its source is ", source.describe(), "; allowed: an offset inside it. The order is (row, column)."));
  b.row_indices = used("row_permute_indices", row_permute_indices, row_permute_offset, b.rows);
  b.column_indices = used("column_permute_indices", column_permute_indices, column_permute_offset, b.columns);
  return b;
}

Layouts MatrixCopy::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(name, hints, in[0].dtype);
  const Block b = block(in);
  const auto reach = [](std::int64_t count, std::span<const std::uint32_t> indices) {
    return indices.empty() ? count : std::int64_t{*std::ranges::max_element(indices)} + 1;
  };
  Layouts out(destination_count(), Layout::matrix(in[0].dtype, 0, 0, in[0].matrices()));
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    Layout& l = out[destination_of(i)];
    l = Layout::matrix(l.dtype, std::max(l.rows(), offsets[i][2] + reach(b.rows, b.row_indices)), std::max(l.columns(), offsets[i][3] + reach(b.columns, b.column_indices)), l.matrices());
  }
  return out;
}

void MatrixCopy::check(std::span<const Layout> in, std::span<const Layout> out) const {
  for (const auto& layouts : {in, out})
    for (const Layout& l : layouts) {
      require_same_dtype(name, "the first source", in[0], "another matrix", l);
      batch_of(name, 0, {}, {{"the first source", "", &in[0]}, {"another matrix", "", &l}});
    }
  const Block b = block(in);
  struct Place {
    std::size_t destination;
    std::vector<std::int64_t> rows, columns;
  };
  std::vector<Place> written;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const CopyOffsets& o = offsets[i];
    const Layout &source = in[source_of(i)], &destination = out[destination_of(i)];
    const std::int64_t rows = b.is_turned ? b.columns : b.rows, columns = b.is_turned ? b.rows : b.columns;
    if (o[0] + rows > source.rows() || o[1] + columns > source.columns())
      throw ValueError(cat(name, ": copy ", i, " reads ", rows, " x ", columns, " from (", o[0], ", ", o[1], ") and its source is ", source.describe(),
                           "; allowed: a block inside it. Pass smaller copy_rows and copy_columns, or other offsets."));
    Place p{destination_of(i), places(o[2], b.rows, b.row_indices), places(o[3], b.columns, b.column_indices)};
    if (b.rows == 0 || b.columns == 0) continue;
    if (p.rows.back() >= destination.rows() || p.columns.back() >= destination.columns())
      throw ValueError(cat(name, ": copy ", i, " writes to (", p.rows.back(), ", ", p.columns.back(), ") and its destination is ", destination.describe(),
                           "; allowed: elements inside it. Pass a larger out, or other offsets."));
    if (std::ranges::adjacent_find(p.rows) != p.rows.end() || std::ranges::adjacent_find(p.columns) != p.columns.end())
      throw ValueError(cat(name, ": a row or column is named twice in the permutation; allowed: once. Pass different indices."));
    for (std::size_t k = 0; k < written.size(); ++k)
      if (written[k].destination == p.destination && meet(written[k].rows, p.rows) && meet(written[k].columns, p.columns))
        throw ValueError(cat(name, ": copies ", k, " and ", i, " overlap in their destination; allowed: separate blocks, as their order is not defined. Pass them in two calls."));
    written.push_back(std::move(p));
  }
}

}  // namespace mpskit::linalg
