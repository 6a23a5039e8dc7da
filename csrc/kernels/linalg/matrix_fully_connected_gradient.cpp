#include "kernels/linalg/matrix_fully_connected_gradient.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void MatrixFullyConnectedGradient::validate() const {
  require_origins(info.name, {{"gradient", "primary_source_matrix_origin", nullptr, primary_source_matrix_origin},
                              {"", "secondary_source_matrix_origin", nullptr, secondary_source_matrix_origin},
                              {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}

std::vector<OperandSpec> MatrixFullyConnectedGradient::call_operands() const {
  if (gradient_for == GradientFor::data) return {operands[0], with_count(operands[1], Count::one), operands[3]};
  return {operands[0], with_count(operands[2], Count::one), operands[3], operands[4]};
}

MatrixFullyConnectedGradient::Product MatrixFullyConnectedGradient::product(std::span<const Layout> in, std::span<const Layout> out) const {
  const bool is_for_data = gradient_for == GradientFor::data;
  const std::string_view other = is_for_data ? "weights" : "source";
  const Placed gradient{"gradient", "primary_source_matrix_origin", &in[0], primary_source_matrix_origin};
  const Placed second{other, "secondary_source_matrix_origin", &in[1], secondary_source_matrix_origin};
  const Placed result{"out", "result_matrix_origin", out.empty() ? nullptr : &out[0], result_matrix_origin};
  require_same_dtype(info.name, "gradient", in[0], other, in[1]);
  const Extent dy = from_origin(info.name, gradient), b = from_origin(info.name, second);
  Product p{};
  p.is_for_data = is_for_data;
  p.rows = part_of(info.name, "source_number_of_feature_vectors", source_number_of_feature_vectors, "gradient", dy.rows);
  p.outputs = part_of(info.name, "source_output_feature_channels", source_output_feature_channels, "gradient", dy.columns);
  p.inputs = part_of(info.name, "source_input_feature_channels", source_input_feature_channels, other, is_for_data ? b.rows : b.columns);
  // The axis that both have.
  const std::string_view field = is_for_data ? "source_output_feature_channels" : "source_number_of_feature_vectors";
  const std::optional<std::int64_t> wanted = is_for_data ? source_output_feature_channels : source_number_of_feature_vectors;
  const std::int64_t held = is_for_data ? b.columns : b.rows, common = is_for_data ? p.outputs : p.rows;
  part_of(info.name, field, wanted, other, held);
  if (!wanted && held != common)
    throw ValueError(cat(info.name, ": gradient is (", dy.rows, ", ", dy.columns, ") and ", other, " is (", b.rows, ", ", b.columns, ") from their origins; ",
                         is_for_data ? "their columns, the output channels, must be as many. " : "their rows must be as many. ", "Pass ", field, " to use a part of them."));
  p.matrices = batch_of(info.name, batch_start, batch_size, {gradient, second, result});
  if (!out.empty()) {
    require_same_dtype(info.name, "gradient", in[0], "out", out[0]);
    require_extent(info.name, result, p.result(), source_number_of_feature_vectors || source_input_feature_channels || source_output_feature_channels,
                   "source_input_feature_channels");
    if (!is_for_data) require_own_vector(info.name, "bias_gradient", out[1], p.outputs, source_output_feature_channels.has_value(), in[0].matrices());
  }
  p.alpha = in_precision_of(in[0].dtype, alpha);
  return p;
}

Layouts MatrixFullyConnectedGradient::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Product p = product(in, {});
  Layouts all{Layout::matrix(in[0].dtype, result_matrix_origin.x + p.result().rows, result_matrix_origin.y + p.result().columns, in[0].matrices())};
  if (!p.is_for_data) all.push_back(Layout::vector(DType::f32, p.outputs, in[0].matrices()));
  return all;
}

bool MatrixFullyConnectedGradient::reads_outputs(std::span<const Layout> out) const {
  const bool is_for_data = gradient_for == GradientFor::data;
  const Sizes sizes{"", "", is_for_data ? source_number_of_feature_vectors : source_input_feature_channels,
                    is_for_data ? source_input_feature_channels : source_output_feature_channels};
  return leaves_a_part(out[0], result_matrix_origin, sizes, batch_start, batch_size);
}

}  // namespace mpskit::linalg
