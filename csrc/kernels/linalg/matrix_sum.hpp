#pragma once
#include <vector>

#include "kernels/common/matrix_layer.hpp"

namespace mpskit::linalg {

struct MatrixSum {
  std::int64_t count = 2;
  std::optional<std::int64_t> rows, columns;
  bool transpose = false;
  std::vector<Origin> offsets;
  std::int64_t start_index = 0;
  cnn::NeuronDescriptor neuron;
  Origin result_matrix_origin;
  bool operator==(const MatrixSum&) const = default;

  static constexpr KernelInfo info{
      "MatrixSum", "The weighted sum of matrices: out = neuron(sum(scale[i] * sources[i]) + bias), transposed if asked.", "MPSMatrixSum, in MPSMatrixSum.h",
      "Every source lends a window of rows x columns, which begins at its offset. scale is a float32 vector; its element start_index belongs to the first "
      "source. Sums are kept in float32, in the order of the sources. Apple hands the offsets over in a vector on the device; here they are parameters, "
      "so that they can be checked before any device sees them. A bias together with transpose is refused: Apple's header says that it follows the columns of "
      "the transposed sum, a report says those of the sum before. Elements of out beyond the window keep their values; a new out has zeros there. All "
      "matrices of a batch are added up, one by one. On a metal device float16 goes through float32 copies."};
  static constexpr std::tuple fields{
      Field{"count", &MatrixSum::count, Range{.min = 2, .max = 4096}, "matrices", "How many sources there are."},
      Field{"rows", &MatrixSum::rows, element_count, "rows", "Rows of each source that are read; None is all from the offset."},
      Field{"columns", &MatrixSum::columns, element_count, "columns", "Columns of each source that are read; None is all from the offset."},
      Field{"transpose", &MatrixSum::transpose, Range{}, "", "Transpose the sum."},
      Field{"offsets", &MatrixSum::offsets, Range{}, "", "First (row, column) read from each source; none is (0, 0) for all."},
      Field{"start_index", &MatrixSum::start_index, element_count, "elements", "Element of scale that belongs to the first source."},
      Field{"neuron", &MatrixSum::neuron, Range{}, "", "The function of the sums, a name or a NeuronDescriptor; no prelu."},
      Field{"result_matrix_origin", &MatrixSum::result_matrix_origin, Range{}, "", "First (row, column) written in the result."}};
  static constexpr int positional = 1;
  static constexpr std::array operands{
      OperandSpec{"sources", Role::input, Kind::matrix, float_dtypes, "The matrices, count of them, of one dtype, one by one or as a tuple.", Count::many},
      OperandSpec{"scale", Role::input, Kind::vector, DTypes{DType::f32}, "A factor for each source; ones when omitted.", Count::optional},
      OperandSpec{"bias", Role::input, Kind::vector, float_dtypes, "A number for each column, zeros when omitted; one vector, or one for each matrix.", Count::optional},
      OperandSpec{"out", Role::output, Kind::matrix, float_dtypes, "Where the result goes, of the sources' dtype; made when omitted."}};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 2e-6, 5e-4, "one rounding to half precision"},
      Tolerance{DType::f32, 1.2e-7, 4e-6, "absolute: times count and the magnitudes of the terms; relative: the neuron"}};

  Origin offset_of(std::int64_t source) const { return offsets.empty() ? Origin{} : offsets[static_cast<std::size_t>(source)]; }
  std::size_t scale_index() const { return static_cast<std::size_t>(count); }
  std::size_t bias_index() const { return static_cast<std::size_t>(count) + 1; }
  Window window(std::span<const Layout> in, const Layout* out) const;  // of every source
  std::vector<OperandSpec> call_operands() const;
  void validate() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const { window(in, &out[0]); }
  bool reads_outputs(std::span<const Layout> out) const {
    return leaves_a_part(out[0], result_matrix_origin, {"", "", transpose ? columns : rows, transpose ? rows : columns}, 0, {});
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixSum)
