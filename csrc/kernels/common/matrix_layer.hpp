#pragma once
#include "kernels/cnn/values/neuron_descriptor.hpp"
#include "kernels/common/matrix_window.hpp"

// Layers of networks on matrices: a row is a sample, a column a feature channel.
namespace mpskit::linalg {

struct FeatureKernel : UnaryKernel {
  std::optional<std::int64_t> source_number_of_feature_vectors, source_input_feature_channels;
  bool operator==(const FeatureKernel&) const = default;

  static constexpr auto feature_fields = std::tuple_cat(
      std::tuple{Field{"source_number_of_feature_vectors", &FeatureKernel::source_number_of_feature_vectors, element_count, "rows", "Rows that are read; None is all from the origin."},
                 Field{"source_input_feature_channels", &FeatureKernel::source_input_feature_channels, element_count, "columns", "Columns that are read; None is all from the origin."}},
      unary_fields);
  Sizes sizes() const { return {"source_number_of_feature_vectors", "source_input_feature_channels", source_number_of_feature_vectors, source_input_feature_channels}; }
  void require_features(std::string_view kernel) const;
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(out[0], result_matrix_origin, sizes(), batch_start, batch_size); }
};
struct FeatureGradientKernel : BinaryKernel {
  std::optional<std::int64_t> source_number_of_feature_vectors, source_input_feature_channels;
  bool operator==(const FeatureGradientKernel&) const = default;

  static constexpr auto feature_fields = std::tuple_cat(
      std::tuple{Field{"source_number_of_feature_vectors", &FeatureGradientKernel::source_number_of_feature_vectors, element_count, "rows", "Rows that are read; None is all from the origins."},
                 Field{"source_input_feature_channels", &FeatureGradientKernel::source_input_feature_channels, element_count, "columns", "Columns that are read; None is all from the origins."}},
      binary_fields);
  Sizes sizes() const { return {"source_number_of_feature_vectors", "source_input_feature_channels", source_number_of_feature_vectors, source_input_feature_channels}; }
  void require_features(std::string_view kernel) const;
  bool reads_outputs(std::span<const Layout> out) const { return leaves_a_part(out[0], result_matrix_origin, sizes(), batch_start, batch_size); }
};

// MPS has no PReLU in these kernels.
void refuse_prelu(std::string_view kernel, const cnn::NeuronDescriptor& neuron);

inline constexpr OperandSpec bias_vector{"bias", Role::input, Kind::vector, float_dtypes, "A number for each column, zeros when omitted; one vector, or one for each matrix.", Count::optional};
inline constexpr OperandSpec gradient_matrix{"gradient", Role::input, Kind::matrix, float_dtypes, "The gradient of the loss with respect to the layer's result, with the shape of that."};

}  // namespace mpskit::linalg
