#include "kernels/linalg/matrix_sum.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void MatrixSum::validate() const {
  require_origins(info.name, {{"out", "result_matrix_origin", nullptr, result_matrix_origin}});
  refuse_prelu(info.name, neuron);
  if (!offsets.empty() && static_cast<std::int64_t>(offsets.size()) != count)
    throw ValueError(cat(info.name, ": offsets has ", offsets.size(), " pairs; allowed: ", count, ", one for each source, or none. Pass as many."));
  for (const Origin& o : offsets) require_origins(info.name, {{"", "offsets", nullptr, o}});
}

std::vector<OperandSpec> MatrixSum::call_operands() const {
  std::vector<OperandSpec> all(static_cast<std::size_t>(count), with_count(operands[0], Count::one));
  all.insert(all.end(), operands.begin() + 1, operands.end());
  return all;
}

Window MatrixSum::window(std::span<const Layout> in, const Layout* out) const {
  Window w{};
  const Placed result{"out", "result_matrix_origin", out, result_matrix_origin};
  for (std::int64_t i = 0; i < count; ++i) {
    const Layout& source = in[static_cast<std::size_t>(i)];
    const Placed placed{"source", "offset", &source, offset_of(i)};
    require_same_dtype(info.name, "the first source", in[0], "another", source);
    const Extent held = from_origin(info.name, placed);
    const std::int64_t some_rows = part_of(info.name, "rows", rows, "source", held.rows), some_columns = part_of(info.name, "columns", columns, "source", held.columns);
    if (i == 0) w = {some_rows, some_columns, {}};
    if (some_rows != w.rows || some_columns != w.columns)
      throw ValueError(cat(info.name, ": source ", i, " is (", held.rows, ", ", held.columns, ") from its offset, source 0 is (", w.rows, ", ", w.columns,
                           "); allowed: the same shape. Pass rows and columns to use a part of each."));
    w.matrices = batch_of(info.name, 0, {}, {{"source 0", "", &in[0]}, {"another source", "", &source}, result});
  }
  if (out) {
    require_same_dtype(info.name, "the first source", in[0], "out", *out);
    const Extent written = transpose ? Extent{w.columns, w.rows} : Extent{w.rows, w.columns};
    require_extent(info.name, result, written, rows || columns, "rows or columns");
  }
  const Layout scale = input_at(in, scale_index()), bias = input_at(in, bias_index());
  if (!is_absent(scale) && (scale.vectors() != 1 || scale.length() < start_index + count))
    throw ValueError(cat(info.name, ": scale is ", scale.describe(), "; allowed: one vector of at least start_index + count = ", start_index + count, " elements. Pass such a vector."));
  if (!is_absent(bias) && transpose)
    throw ValueError(cat(info.name, ": bias and transpose=True are both given; allowed: one of them. Add the bias with MatrixNeuron, after this."));
  require_vector(info.name, "bias", bias, w.columns, columns.has_value(), in[0].matrices());
  return w;
}

Layouts MatrixSum::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Window w = window(in, nullptr);
  return {Layout::matrix(in[0].dtype, result_matrix_origin.x + (transpose ? w.columns : w.rows), result_matrix_origin.y + (transpose ? w.rows : w.columns), in[0].matrices())};
}

}  // namespace mpskit::linalg
