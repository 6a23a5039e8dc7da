#pragma once
#include "kernels/common/matrix_window.hpp"

namespace mpskit::linalg {

struct MatrixFindTopK : RowsKernel {
  std::int64_t number_of_top_k_values = 1, index_offset = 0;
  bool operator==(const MatrixFindTopK&) const = default;

  static constexpr KernelInfo info{
      "MatrixFindTopK", "The largest elements of each row, and where they are.", "MPSMatrixFindTopK, in MPSMatrixFindTopK.h",
      "Returns (indices, values), each (rows, number_of_top_k_values), from the largest down. An index counts from the window's first column, plus "
      "index_offset. Equal elements keep their order, the lower index first; NaN comes behind every number. Apple's header leaves that order and NaN "
      "open: this is mpskit's definition. Values are elements of the source, unchanged. Both results have one origin; their elements beyond the window "
      "and the chosen batch keep their values, and are zeros in new ones."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"number_of_top_k_values", &MatrixFindTopK::number_of_top_k_values, Range{.min = 1, .max = 16}, "values", "How many elements of each row, at most as many as the window has columns."},
                 Field{"index_offset", &MatrixFindTopK::index_offset, Range{.min = 0, .max = 2147483647}, "", "Added to every index."}},
      rows_fields);
  static constexpr std::array aliases{Alias{"k", {"number_of_top_k_values", ""}}};
  static constexpr int positional = 1;
  static constexpr std::array operands{
      source_matrix, OperandSpec{"indices", Role::output, Kind::matrix, DTypes{DType::u32}, "Where they are; uint32."},
      OperandSpec{"values", Role::output, Kind::matrix, float_dtypes, "The largest elements, of the source's dtype."}};
  static constexpr std::array tolerances{Tolerance{DType::f16, 0, 0, "they are elements of the source"}, Tolerance{DType::f32, 0, 0, "they are elements of the source"},
                                         Tolerance{DType::u32, 0, 0, "exact"}};

  Window window(const Layout& source, const Layout* indices, const Layout* values) const;
  void validate() const { require_rows(info.name); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    require_hints(info.name, hints, in[0].dtype);
    const Window w = window(in[0], nullptr, nullptr);
    const auto result = [&](DType t) { return Layout::matrix(t, result_matrix_origin.x + w.rows, result_matrix_origin.y + number_of_top_k_values, in[0].matrices()); };
    return {result(DType::u32), result(in[0].dtype)};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    require_same_dtype(info.name, "source", in[0], "values", out[1]);
    window(in[0], &out[0], &out[1]);
  }
  bool reads_outputs(std::span<const Layout> out) const {
    const auto leaves = [&](const Layout& l) {
      return leaves_a_part(l, result_matrix_origin, {"", "", source_rows, number_of_top_k_values}, batch_start, batch_size);
    };
    return leaves(out[0]) || leaves(out[1]);
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixFindTopK)
