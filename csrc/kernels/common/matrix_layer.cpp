#include "kernels/common/matrix_layer.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

void FeatureKernel::require_features(std::string_view kernel) const {
  require_origins(kernel, {{"source", "source_matrix_origin", nullptr, source_matrix_origin}, {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}
void FeatureGradientKernel::require_features(std::string_view kernel) const {
  require_origins(kernel, {{"gradient", "primary_source_matrix_origin", nullptr, primary_source_matrix_origin},
                           {"source", "secondary_source_matrix_origin", nullptr, secondary_source_matrix_origin},
                           {"out", "result_matrix_origin", nullptr, result_matrix_origin}});
}

void refuse_prelu(std::string_view kernel, const cnn::NeuronDescriptor& neuron) {
  if (neuron.type == cnn::NeuronType::prelu)
    throw ValueError(cat(kernel, ": neuron is 'prelu'; allowed: one without slopes for each channel. Pass 'none', and its result to MatrixNeuron."));
}

}  // namespace mpskit::linalg
