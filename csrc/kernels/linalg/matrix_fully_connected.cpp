#include "kernels/linalg/matrix_fully_connected.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void MatrixFullyConnected::validate() const {
  require_origins(info.name, {{"source", "primary_source_matrix_origin", nullptr, primary_source_matrix_origin},
                              {"weights", "secondary_source_matrix_origin", nullptr, secondary_source_matrix_origin},
                              {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
  refuse_prelu(info.name, neuron);
}

MatrixFullyConnected::Product MatrixFullyConnected::product(std::span<const Layout> in, const Layout* out) const {
  const Placed source{"source", "primary_source_matrix_origin", &in[0], primary_source_matrix_origin};
  const Placed weights{"weights", "secondary_source_matrix_origin", &in[1], secondary_source_matrix_origin};
  const Placed result{"out", "result_matrix_origin", out, result_matrix_origin};
  require_same_dtype(info.name, "source", in[0], "weights", in[1]);
  if (out) require_same_dtype(info.name, "source", in[0], "out", *out);
  const Extent x = from_origin(info.name, source), w = from_origin(info.name, weights);
  if (!source_input_feature_channels && x.columns != w.rows)
    throw ValueError(cat(info.name, ": source is (", x.rows, ", ", x.columns, ") and weights is (", w.rows, ", ", w.columns,
                         ") from their origins; columns of source must equal rows of weights. ",
                         x.columns == w.columns ? "Pass the transpose of weights: they are (input channels, output channels)."
                                                : "Pass source_input_feature_channels to use a part of them."));
  Product p{};
  p.rows = part_of(info.name, "source_number_of_feature_vectors", source_number_of_feature_vectors, "source", x.rows);
  part_of(info.name, "source_input_feature_channels", source_input_feature_channels, "source", x.columns);
  p.inputs = part_of(info.name, "source_input_feature_channels", source_input_feature_channels, "weights", w.rows);
  p.outputs = part_of(info.name, "source_output_feature_channels", source_output_feature_channels, "weights", w.columns);
  p.matrices = batch_of(info.name, batch_start, batch_size, {source, weights, result});
  require_vector(info.name, "bias", input_at(in, 2), p.outputs, source_output_feature_channels.has_value(), in[0].matrices());
  if (out)
    require_extent(info.name, result, {p.rows, p.outputs}, source_number_of_feature_vectors || source_output_feature_channels,
                   "source_number_of_feature_vectors or source_output_feature_channels");
  p.alpha = in_precision_of(in[0].dtype, alpha);
  return p;
}

Layouts MatrixFullyConnected::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Product p = product(in, nullptr);
  return {Layout::matrix(in[0].dtype, result_matrix_origin.x + p.rows, result_matrix_origin.y + p.outputs, in[0].matrices())};
}

}  // namespace mpskit::linalg
